package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	mysql "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

func TestEachCodeHasItsClass(t *testing.T) {
	for code, want := range map[uint16]rotation.Class{
		1040: rotation.TooManyConnections, 1203: rotation.TooManyConnections, 1226: rotation.TooManyConnections,
		1044: rotation.MissingPrivilege, 1045: rotation.MissingPrivilege, 1142: rotation.MissingPrivilege, 1143: rotation.MissingPrivilege,
		1227: rotation.MissingPrivilege, 1370: rotation.MissingPrivilege, 1698: rotation.MissingPrivilege, 3879: rotation.MissingPrivilege,
		3891: rotation.MissingPrivilege, 3892: rotation.MissingPrivilege,
		1049: rotation.NoDatabase,
		1133: rotation.NoUser, 1396: rotation.NoUser, 1410: rotation.NoUser,
		1819: rotation.PasswordRejected, 3638: rotation.PasswordRejected,
		1820: rotation.PasswordExpired, 1862: rotation.PasswordExpired,
		3118: rotation.AccountLocked, 3955: rotation.AccountLocked, 4150: rotation.AccountLocked, 4151: rotation.AccountLocked,
		1792: rotation.ReadOnly, 1836: rotation.ReadOnly,
		1047: rotation.Unavailable, 1053: rotation.Unavailable, 1213: rotation.Unavailable, 3032: rotation.Unavailable,
		1205: rotation.Timeout, 1317: rotation.Timeout, 1969: rotation.Timeout, 3024: rotation.Timeout,
		3159: rotation.TLS,
		1064: rotation.Unknown, 1146: rotation.Unknown, 9999: rotation.Unknown,
	} {
		if got := class(fault(&mysql.MySQLError{Number: code})); got != want {
			t.Errorf("%d is %s, want %s", code, got, want)
		}
	}
	for code := range codes {
		if f := codes[code]; f.Transient && f.Class != rotation.TooManyConnections && f.Class != rotation.Unavailable {
			t.Errorf("%d is transient", code)
		}
	}
}

func TestTheOptionInTheMessageTellsReadOnlyFromOthers(t *testing.T) {
	for message, want := range map[string]rotation.Class{
		"The MySQL server is running with the --read-only option so it cannot execute this statement":                   rotation.ReadOnly,
		"The MySQL server is running with the --super-read-only option so it cannot execute this statement":             rotation.ReadOnly,
		"El servidor MariaDB se está ejecutando con la opción --read-only de manera que no puede ejecutar la sentencia": rotation.ReadOnly,
		"The MySQL server is running with the --skip-grant-tables option so it cannot execute this statement":           rotation.Unknown,
	} {
		if got := class(fault(&mysql.MySQLError{Number: 1290, Message: message})); got != want {
			t.Errorf("%q is %s, want %s", message, got, want)
		}
	}
}

func TestLoginsHaveTheirOwnClasses(t *testing.T) {
	for code, want := range map[uint16]struct {
		class   rotation.Class
		refused bool
	}{
		1045: {rotation.LoginRefused, true},
		1698: {rotation.LoginRefused, true},
		1130: {rotation.LoginRefused, false}, // no password would do
		1251: {rotation.LoginRefused, false},
		1129: {rotation.Unreachable, false},
		1044: {rotation.NoDatabase, false},
		1049: {rotation.NoDatabase, false},
		1040: {rotation.TooManyConnections, false},
		1862: {rotation.PasswordExpired, false},
		3118: {rotation.AccountLocked, false},
		4151: {rotation.AccountLocked, false},
		3159: {rotation.TLS, false},
		1053: {rotation.Unavailable, false},
	} {
		err := connectFault(&mysql.MySQLError{Number: code, Message: "said the test"})
		if got := class(err); got != want.class || errors.Is(err, database.ErrLoginRefused) != want.refused {
			t.Errorf("%d is %s, refused %v; want %v", code, got, errors.Is(err, database.ErrLoginRefused), want)
		}
		if want.refused && rotation.Retryable(err) {
			t.Errorf("%d is retried after a refused login", code)
		}
	}
	for _, err := range []error{mysql.ErrUnknownPlugin, mysql.ErrCleartextPassword, mysql.ErrOldPassword} {
		if got := connectFault(err); class(got) != rotation.LoginRefused || errors.Is(got, database.ErrLoginRefused) {
			t.Errorf("%v is %v", err, got)
		}
	}
	if err := connectFault(mysql.ErrMalformPkt); !rotation.Retryable(err) {
		t.Errorf("a challenge that ends in NUL is %v", err)
	}
	if !errors.Is(connectFault(mysql.ErrNoTLS), database.ErrNoTLS) {
		t.Error("a server without TLS is not told")
	}
}

func TestErrorsThatAreNotTheServersStayAsTheyAre(t *testing.T) {
	for _, err := range []error{nil, context.DeadlineExceeded, errors.New("something")} {
		if got := fault(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	for _, err := range []error{mysql.ErrInvalidConn, driver.ErrBadConn, fmt.Errorf("x: %w", mysql.ErrInvalidConn)} {
		if got := fault(err); class(got) != rotation.Unreachable || !rotation.Retryable(got) {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestNoErrorQuotesAStatement(t *testing.T) {
	for _, code := range []uint16{1064, 1149} {
		err := fault(&mysql.MySQLError{Number: code, Message: "You have an error in your SQL syntax near 'the password'"})
		if strings.Contains(err.Error(), "the password") {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func class(err error) rotation.Class {
	if f := asFault(err); f != nil {
		return f.Class
	}
	return "none"
}

func asFault(err error) *rotation.Fault {
	var f *rotation.Fault
	_ = errors.As(err, &f)
	return f
}
