package mysql

import (
	"crypto/ed25519"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// An authentication is one way in which an account proves who logs in.
type authentication struct {
	plugin string
	stored string // what the server keeps, as text; of use only where there is no password
	has    bool   // there is a stored text, if only an empty one
	hidden bool   // there is one, which this session may not see
}

// The plug-ins that keep a password in the server. Others ask somebody else.
var passwordPlugins = []string{"mysql_native_password", "caching_sha2_password", "sha256_password", "ed25519", "parsec"}

const native, ed = "mysql_native_password", "ed25519"

func (a authentication) isPassword() bool { return slices.Contains(passwordPlugins, a.plugin) }

// isLike reports whether two accounts prove themselves alike, each with its own
// password if there is one.
func (a authentication) isLike(b authentication) bool {
	return a == b || a.isPassword() && a.plugin == b.plugin
}

// hash is the form in which MariaDB keeps a password of a plug-in. It is "" for
// those that salt, and for passwords that this package cannot hash.
func hash(plugin, password string) string {
	switch {
	case plugin == native:
		return nativeHash(password)
	case plugin == ed && len(password) == ed25519.SeedSize:
		return ed25519Hash(password)
	}
	return ""
}

// nativeHash is PASSWORD(): SHA1(SHA1(password)) in hexadecimal after a star.
// Source: MariaDB's "Authentication Plugin - mysql_native_password".
func nativeHash(password string) string {
	first := sha1.Sum([]byte(password))
	second := sha1.Sum(first[:])
	return "*" + strings.ToUpper(hex.EncodeToString(second[:]))
}

// ed25519Hash is the public key to the password as secret key. MariaDB takes
// secrets of any length, where RFC 8032 has 32 bytes. Such are passwords of the
// default PASSWORD_LENGTH.
func ed25519Hash(password string) string {
	public := ed25519.NewKeyFromSeed([]byte(password)).Public().(ed25519.PublicKey)
	return base64.RawStdEncoding.EncodeToString(public)
}

// mariaClause is MariaDB's IDENTIFIED clause that gives a new password to every
// way that has one and leaves the others alone. Plain says that the password
// goes as text even where this package can hash it.
func mariaClause(say func(untold) string, ways []authentication, password string, plain bool) string {
	var parts []string
	for _, w := range ways {
		part := w.plugin
		switch {
		case !w.isPassword() && w.has:
			part += " USING " + say(w.kept())
		case !w.isPassword():
		case !plain && hash(w.plugin, password) != "":
			part += " USING " + say(newHash(w.plugin, password))
		default:
			part += " USING PASSWORD(" + say(newPassword(password)) + ")"
		}
		parts = append(parts, part)
	}
	return "IDENTIFIED VIA " + strings.Join(parts, " OR ")
}

// hidden reports whether a password can go as a hash to all ways that have one.
func hidden(ways []authentication, password string) bool {
	return !slices.ContainsFunc(ways, func(w authentication) bool { return w.isPassword() && hash(w.plugin, password) == "" })
}

func newHash(plugin, password string) untold {
	return untold{hash(plugin, password), "<hash of the new password>"}
}

// kept is what the server keeps for a way, which may be secret.
func (a authentication) kept() untold { return untold{a.stored, "<as it is>"} }

// mysqlClause is MySQL's IDENTIFIED clause for a new password. MySQL hides
// passwords before it logs a statement (manual, 8.1.2.3 "Passwords and
// Logging"); the salted hashes of its plug-ins are not made here.
func mysqlClause(say func(untold) string, way authentication, password untold) string {
	clause := "IDENTIFIED WITH " + literal(way.plugin)
	switch {
	case way.isPassword():
		return clause + " BY " + say(password)
	case way.has:
		return clause + " AS " + say(way.kept())
	}
	return clause
}

// hasPassword reports whether one of the ways has a password.
func hasPassword(ways []authentication) bool {
	return slices.ContainsFunc(ways, authentication.isPassword)
}
