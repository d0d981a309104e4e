package local

import (
	"strings"
)

// The character types of GetRandomPassword.
const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

type randomPasswordIn struct {
	PasswordLength          *int64
	ExcludeCharacters       string
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	ExcludeUppercase        bool
	ExcludeLowercase        bool
	IncludeSpace            bool
	RequireEachIncludedType *bool
}

type randomPasswordOut struct{ RandomPassword string }

func (in randomPasswordIn) check() error { return nil }

// getRandomPassword makes 32 characters unless asked otherwise, with at least one of each included type.
func (s region) getRandomPassword(in randomPasswordIn) (randomPasswordOut, error) {
	length := int64(32)
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	types := in.types()
	alphabet := strings.Join(types, "")
	switch {
	case alphabet == "":
		return randomPasswordOut{}, fail(codeInvalidParameter, "No characters are left to make a password of.")
	case in.RequireEachIncludedType != nil && !*in.RequireEachIncludedType:
		types = nil
	}
	if int64(len(types)) > length {
		return randomPasswordOut{}, fail(codeInvalidParameter, "Password length is too short based on the required types.")
	}
	password := []byte(randomText(alphabet, int(length)))
	for i, place := range places(len(types), len(password)) {
		password[place] = pick(types[i])
	}
	return randomPasswordOut{RandomPassword: string(password)}, nil
}

// types are the alphabets to draw from, without those that the exclusions leave empty.
func (in randomPasswordIn) types() []string {
	var types []string
	for _, t := range []struct {
		alphabet string
		excluded bool
	}{
		{lowercase, in.ExcludeLowercase}, {uppercase, in.ExcludeUppercase}, {digits, in.ExcludeNumbers},
		{punctuation, in.ExcludePunctuation}, {" ", !in.IncludeSpace},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(in.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, t.alphabet)
		if !t.excluded && left != "" {
			types = append(types, left)
		}
	}
	return types
}

// places draws n different positions below length.
func places(n, length int) []int {
	all := make([]int, length)
	for i := range all {
		all[i] = i
	}
	for i := range n {
		j := i + below(length-i)
		all[i], all[j] = all[j], all[i]
	}
	return all[:n]
}
