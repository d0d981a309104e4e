package redshift

import "testing"

// Source of the example: Database Developer Guide, CREATE USER: 'md5' || md5('ez' || 'user1').
func TestHashesAreThoseOfTheGuide(t *testing.T) {
	if got := hash("user1", "ez"); got != "md5153c434b4b77c89e6b94f12c5393af5b" {
		t.Errorf("got %s", got)
	}
}

func TestTimesInThePast(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, "infinity": false, "2001-01-01 00:00:00+00": true, "2001-01-01 00:00:00": true, "2001-01-01 00:00:00.5+05:30": true, "2999-01-01 00:00:00+00": false, "what": false,
	} {
		if past(in) != want {
			t.Errorf("%q is past: %v", in, !want)
		}
	}
}
