package mysql

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// CheckPassword implements database.Conn. MySQL itself weighs the sample
// (validate_password); MariaDB tells the rules of one of its plug-ins
// (simple_password_check). Those of others show when they are asked.
func (c *conn) CheckPassword(ctx context.Context, sample string) error {
	f, err := c.settle(ctx)
	if err != nil {
		return err
	}
	if f.maria {
		return fault(c.checkSimple(ctx, sample))
	}
	return fault(c.checkStrength(ctx, sample))
}

// strengths are what VALIDATE_PASSWORD_STRENGTH says at least of a password that a
// policy takes.
// Source: MySQL Reference Manual, "Encryption and Compression Functions".
var strengths = map[string]int{"LOW": 50, "0": 50, "MEDIUM": 75, "1": 75, "STRONG": 100, "2": 100}

func (c *conn) checkStrength(ctx context.Context, sample string) error {
	rows, err := c.rows(ctx, `SHOW GLOBAL VARIABLES LIKE 'validate\_password%policy'`)
	if err != nil || len(rows) == 0 {
		return err
	}
	policy := rows[0][1]
	is, err := c.column(ctx, "SELECT VALIDATE_PASSWORD_STRENGTH("+literal(sample)+")")
	if err != nil {
		return err
	}
	if strength, err := strconv.Atoi(is[0]); err != nil || strength < strengths[strings.ToUpper(policy)] {
		return rotation.Fail(rotation.PasswordRejected, "the server's validate_password (policy %s) refuses passwords as the settings make them", policy)
	}
	return nil
}

// checkSimple weighs the sample where the server will see the password: of a hash it
// knows nothing.
func (c *conn) checkSimple(ctx context.Context, sample string) error {
	strict, err := c.strict(ctx)
	if err != nil || !strict {
		return err
	}
	rows, err := c.rows(ctx, `SHOW GLOBAL VARIABLES LIKE 'simple\_password\_check\_%'`)
	if err != nil {
		return err
	}
	for _, row := range rows {
		name := strings.TrimPrefix(row[0], "simple_password_check_")
		least, err := strconv.Atoi(row[1])
		if err != nil {
			return fmt.Errorf("%s is %q: %w", row[0], row[1], err)
		}
		if is := amount(name, sample); is < least {
			return rotation.Fail(rotation.PasswordRejected, "the server's simple_password_check wants %s to be at least %d, and passwords as the settings make them have %d", name, least, is)
		}
	}
	return nil
}

// amount is what a rule of simple_password_check counts. A rule that is not known
// demands nothing.
// Source: MariaDB documentation, "Simple Password Check Plugin".
func amount(rule, password string) int {
	var digits, upper, lower, others int
	for _, b := range []byte(password) {
		switch {
		case b >= '0' && b <= '9':
			digits++
		case b >= 'A' && b <= 'Z':
			upper++
		case b >= 'a' && b <= 'z':
			lower++
		default:
			others++
		}
	}
	switch rule {
	case "minimal_length":
		return len(password)
	case "digits":
		return digits
	case "letters_same_case":
		return min(upper, lower)
	case "other_characters":
		return others
	}
	return len(password)
}
