package oracle

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/sijms/go-ora/v2/network"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// codeTests are the codes by class; a star is one whose step may be run again at
// once.
var codeTests = map[rotation.Class]string{
	rotation.LoginRefused:       "1017 1005 1040 28040 28009",
	rotation.AccountLocked:      "28000",
	rotation.PasswordExpired:    "28001 28002 28011",
	rotation.PasswordRejected:   "28003 988 972 28007",
	rotation.MissingPrivilege:   "1031 942 990 1719 1720 1749 1927 1929 1932 1950 1990 6550 47410 1045 28221 28228",
	rotation.NoUser:             "1917 1918 1435",
	rotation.BadSecret:          "1934 65048 65049 65066 65096",
	rotation.NoDatabase:         "12504 12505 12514 12521",
	rotation.TooManyConnections: "12516* 12518* 12519* 12520* 18* 20* 2391*",
	rotation.Unavailable:        "1033* 1034* 1089* 1090* 1092* 1109* 12526* 12527* 12528* 28* 1012* 54* 60* 4020* 28008* 1919* 1924* 1955* 1920* 1951* 1952* 4043* 1035 1652 28365",
	rotation.Unreachable:        "12170* 12535* 3113* 3114* 3135* 12537* 12541* 12545* 12547* 12506 12546 12564",
	rotation.Timeout:            "4021 2049 2396 2399 1013",
	rotation.TLS:                "12660 12696",
	rotation.ReadOnly:           "16000 16456 16397",
	rotation.Unknown:            "28226 959 2380 904 980 4063",
}

func TestEachCodeHasItsClass(t *testing.T) {
	tested := map[int]bool{}
	for class, list := range codeTests {
		for _, word := range strings.Fields(list) {
			var code int
			if _, err := fmt.Sscanf(word, "%d", &code); err != nil {
				t.Fatal(err)
			}
			tested[code] = true
			err := fault(fmt.Errorf("above: %w", &network.OracleError{ErrCode: code, ErrMsg: "ORA-1: said\nthe server\n"}))
			var f *rotation.Fault
			if !errors.As(err, &f) || f.Class != class || f.Transient != strings.HasSuffix(word, "*") || !strings.HasSuffix(err.Error(), "ORA-1: said the server") {
				t.Errorf("%s: got %#v", word, f)
			}
			if _, known := codes[code]; !known {
				t.Errorf("%d is not in the table", code)
			}
		}
	}
	for code, f := range codes {
		if !tested[code] {
			t.Errorf("%d is not tested", code)
		}
		if f.Class == rotation.LoginRefused && f.Transient || f.Remedy == "" && f.Class.Remedy() == "" {
			t.Errorf("%d: a refused login is never tried again, and each code has a remedy", code)
		}
	}
}

func TestTheREADMEHasEveryCode(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			rows[strings.TrimSpace(cells[1])] = " " + strings.NewReplacer(",", " ", "|", " ").Replace(cells[2]) + " "
		}
	}
	for class, list := range codeTests {
		for _, code := range strings.Fields(list) {
			if row := rows[strings.TrimPrefix(string(class), rotation.Prefix)]; !strings.Contains(row, " "+code+" ") {
				t.Errorf("README.md has no %s of class %s", code, class)
			}
		}
	}
}

func TestCodesOutsideTheTable(t *testing.T) {
	for code, want := range map[int]rotation.Class{20000: rotation.PasswordRejected, 20001: rotation.PasswordRejected, 20999: rotation.PasswordRejected, 21000: rotation.Unknown, 600: rotation.Unknown} {
		var f *rotation.Fault
		if err := fault(&network.OracleError{ErrCode: code}); !errors.As(err, &f) || f.Class != want || f.Transient || err.Error() != fmt.Sprintf("ORA-%05d", code) {
			t.Errorf("%d: got %v", code, err)
		}
	}
}

func TestOnlyARefusedPasswordLeadsToAnother(t *testing.T) {
	for code := range codes {
		err := loginFault(&network.OracleError{ErrCode: code})
		if want := code == 1017 || code == 1005 || code == 1040; errors.Is(err, database.ErrLoginRefused) != want {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func TestErrorsThatAreNotTheServers(t *testing.T) {
	for _, err := range []error{driver.ErrBadConn, errOnce, network.ErrConnReset} {
		if f := fault(err); !rotation.Retryable(f) {
			t.Errorf("%v: got %v", err, f)
		}
	}
	if fault(nil) != nil || fault(io.EOF) != io.EOF {
		t.Error("an error became another")
	}
}
