package mysql

import "testing"

func TestTheAccountWhoseHostSaysMostIsTaken(t *testing.T) {
	for _, c := range []struct {
		from  string
		hosts []string
		want  string // "none" if it cannot be told
	}{
		{"127.0.0.1", []string{"%"}, "%"},
		{"127.0.0.1", []string{"%", "127.0.0.1", "127.%"}, "127.0.0.1"},
		{"127.0.0.1", []string{"%", "127.%", "127.0.%"}, "127.0.%"},
		{"127.0.0.1", []string{"%", "10.%", "localhost"}, "%"},
		{"127.0.0.1", []string{"10.%", "localhost"}, "none"},
		{"127.0.0.1", []string{"", "10.%"}, ""},
		{"10.1.2.3", []string{"10.1.0.0/255.255.0.0", "%"}, "10.1.0.0/255.255.0.0"},
		{"10.2.2.3", []string{"10.1.0.0/255.255.0.0", "%"}, "%"},
		{"10.1.2.3", []string{"10.1.0.0/16", "10.%"}, "10.1.0.0/16"},
		{"10.1.2.3", []string{"10.1.0.0/mask", "a/b", "1.2.3.4/::1"}, "none"},
		{"::1", []string{"::/ffff::", "%"}, "::/ffff::"},
		{"app.example.com", []string{"%", "%.example.com", "APP.example.com"}, "APP.example.com"},
		{"app.example.com", []string{"%", "10.%"}, "none"}, // what is its address?
		{"app.example.com", []string{"%", "fe80::%"}, "none"},
	} {
		var accounts []target
		for _, host := range c.hosts {
			accounts = append(accounts, target{account: account{"app", host}})
		}
		got, ok := taken(accounts, c.from)
		if !ok {
			got.host = "none"
		}
		if got.host != c.want {
			t.Errorf("from %s, of %q: %q, want %q", c.from, c.hosts, got.host, c.want)
		}
	}
}
