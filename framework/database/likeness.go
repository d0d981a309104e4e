package database

import (
	"math/rand/v2"
	"strings"
)

// likeness is what a server's rules say of a password without being shown it: it is as
// long, and has as many capitals, small letters, digits and other characters. A server
// may log what it is shown.
func likeness(password string) string {
	kinds := []string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789", "!"}
	counts := make([]int, len(kinds))
	for _, r := range password {
		kind := len(kinds) - 1
		for i, k := range kinds {
			if strings.ContainsRune(k, r) {
				kind = i
			}
		}
		counts[kind]++
	}
	var like strings.Builder // in the order of the kinds, which says nothing of the password's
	for i, k := range kinds {
		for range counts[i] {
			like.WriteByte(k[rand.IntN(len(k))])
		}
	}
	return like.String()
}
