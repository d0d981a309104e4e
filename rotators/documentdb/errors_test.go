package documentdb

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// answered is the driver's error for what a server said.
func answered(code int32, name, message string) error {
	raw, _ := bson.Marshal(bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: code}})
	return fmt.Errorf("above: %w", mongo.CommandError{Code: code, Name: name, Message: message, Raw: raw, Wrapped: errors.New("updateUser hunter2")})
}

func TestEveryCodeHasItsClass(t *testing.T) {
	c, codesLeft := &conn{dialer: &dialer{}}, maps.Clone(codes)
	for code, want := range map[int32]struct {
		class     rotation.Class
		transient bool
	}{
		18:    {rotation.LoginRefused, false},
		334:   {rotation.LoginRefused, false},
		13:    {rotation.MissingPrivilege, false},
		8000:  {rotation.MissingPrivilege, false},
		11:    {rotation.NoUser, false},
		51003: {rotation.Unavailable, true},
		10107: {rotation.Unavailable, true},
		13435: {rotation.Unavailable, true},
		13436: {rotation.Unavailable, true},
		189:   {rotation.Unavailable, true},
		11600: {rotation.Unavailable, true},
		11602: {rotation.Unavailable, true},
		91:    {rotation.Unavailable, true},
		6:     {rotation.Unavailable, true},
		7:     {rotation.Unavailable, true},
		89:    {rotation.Unavailable, true},
		133:   {rotation.Unavailable, true},
		9001:  {rotation.Unavailable, true},
		64:    {rotation.Unavailable, true},
		79:    {rotation.Unavailable, false},
		100:   {rotation.Unavailable, false},
		50:    {rotation.Timeout, false},
		31:    {rotation.Unknown, false},
		59:    {rotation.Unsupported, false},
		4711:  {rotation.Unknown, false},
	} {
		err := c.fault(answered(code, "Name", "m."))
		var f *rotation.Fault
		if !errors.As(err, &f) || f.Class != want.class || f.Transient != want.transient {
			t.Errorf("%d: got %v", code, err)
			continue
		}
		if want := fmt.Sprintf("m, Name, code %d", code); err.Error() != want {
			t.Errorf("%d prints %q", code, err)
		}
		delete(codesLeft, int64(code))
	}
	for code := range codesLeft {
		t.Errorf("code %d has no test", code)
	}
	if other := errors.New("x"); c.fault(other) != other || c.fault(nil) != nil {
		t.Error("an error that is not the server's was changed")
	}
}

// The README lists the codes, and is read where the log has one.
func TestTheReadmeHasEveryCode(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for code, f := range codes {
		row := regexp.MustCompile(fmt.Sprintf(`\| %d \| .* \| %s(, again)? \|\n`, code, strings.TrimPrefix(string(f.Class), rotation.Prefix))).FindStringSubmatch(string(page))
		if row == nil || (row[1] != "") != f.Transient {
			t.Errorf("README.md has another class of code %d, or none: %q", code, row)
		}
	}
}

// MongoDB repeats the command that it refuses.
func TestACommandIsNotRepeated(t *testing.T) {
	c := &conn{dialer: &dialer{}}
	for message, want := range map[string]string{
		`not authorized on admin to execute command { updateUser: "app", pwd: "xxx", customData: { card: "4711" }, lsid: { id: UUID("9d") }, $clusterTime: { signature: { hash: BinData(0, 94) } }, $db: "admin" }`: "not authorized on admin to execute command updateUser, Unauthorized, code 13",
		`not authorized on shop to execute command {"find": "to execute command x"}`: "not authorized on shop to execute command find, Unauthorized, code 13",
		"command usersInfo requires authentication":                                  "command usersInfo requires authentication, Unauthorized, code 13",
	} {
		if got := c.fault(answered(13, "Unauthorized", message)).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhatAServerSaysOfAPassword(t *testing.T) {
	c := &conn{dialer: &dialer{}}
	var f *rotation.Fault
	if err := c.fault(answered(2, "BadValue", "The Password is too short")); !errors.As(err, &f) || f.Class != rotation.PasswordRejected {
		t.Errorf("got %v", err)
	}
	if err := c.fault(answered(2, "BadValue", "unknown mechanism")); !errors.As(err, &f) || f.Class != rotation.Unknown {
		t.Errorf("got %v", err)
	}
}

func TestLoginErrors(t *testing.T) {
	c := &conn{dialer: &dialer{}, place: place{authSource: "accounts"}}
	for code, refused := range map[int32]bool{18: true, 8000: true, 334: false, 13: false, 91: false} {
		err := c.connectFault(answered(code, "Name", "m"))
		if errors.Is(err, database.ErrLoginRefused) != refused {
			t.Errorf("%d: got %v", code, err)
		}
		var f *rotation.Fault
		if refused && (!errors.As(err, &f) || !strings.Contains(f.Remedy, `"accounts"`)) {
			t.Errorf("%d: got %v", code, err)
		}
	}
}
