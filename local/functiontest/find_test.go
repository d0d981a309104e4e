package functiontest_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local/functiontest"
)

func TestASecretIsFoundHoweverItIsWritten(t *testing.T) {
	const password = `p4ss " ' \ <word>&é`
	marshalled, err := json.Marshal(map[string]string{"password": password})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"as it is":         "before " + password + " after",
		"JSON":             string(marshalled),
		"JSON in Go":       fmt.Sprintf("%q", string(marshalled)),
		"Go":               fmt.Sprintf("%q", password),
		"SQL":              "ALTER USER x IDENTIFIED BY '" + strings.ReplaceAll(password, `'`, `''`) + "'",
		"MySQL":            "IDENTIFIED BY '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `\"`).Replace(password) + "'",
		"URL":              "https://x/?p=" + url.QueryEscape(password),
		"hexadecimal":      hex.EncodeToString([]byte("x" + password + "y")),
		"base64":           base64.StdEncoding.EncodeToString([]byte(password)),
		"base64, longer":   base64.StdEncoding.EncodeToString([]byte("user:" + password + ";")),
		"base64, shifted":  base64.StdEncoding.EncodeToString([]byte("users:" + password + "=1")),
		"base64, for URLs": base64.RawURLEncoding.EncodeToString([]byte("abcd" + password + "xyz")),
	} {
		if lines := functiontest.Find("one\n"+text+"\ntwo", password, ""); len(lines) != 1 || !strings.Contains(lines[0], "[HERE]") {
			t.Errorf("%s: found %q", name, lines)
		}
	}
	if lines := functiontest.Find("nothing to see\n", password, ""); lines != nil {
		t.Errorf("found %q", lines)
	}
}

func passwordOf(t *testing.T, value string) string {
	t.Helper()
	d, err := secret.Parse([]byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return d.Text("password")
}
