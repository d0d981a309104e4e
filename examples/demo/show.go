package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// singleUser rotates a user that changes its own password.
func (d *demo) singleUser(ctx context.Context) error {
	f, err := d.start("single-user")
	if err != nil {
		return err
	}
	arn, err := d.store(ctx, "demo/single", d.single)
	if err != nil {
		return err
	}
	d.out.title("Single user: %s changes its own password", user(d.single))
	before, after, err := d.rotate(ctx, arn, f, &versions{})
	if err != nil {
		return err
	}
	d.out.promise(d.works(ctx, after), "the new password logs in")
	if d.Overlap {
		d.out.promise(d.works(ctx, before), "the old one works until the next rotation")
		return nil
	}
	d.out.promise(d.refused(ctx, before), "the old password is refused")
	return nil
}

// alternatingUsers gives both users their turn.
func (d *demo) alternatingUsers(ctx context.Context) error {
	f, err := d.start("alternating-users")
	if err != nil {
		return err
	}
	master, err := d.store(ctx, "demo/administrator", d.Administrator)
	if err != nil {
		return err
	}
	fields := maps.Clone(d.alternating)
	fields["masterarn"] = master
	arn, err := d.store(ctx, "demo/alternating", fields)
	if err != nil {
		return err
	}
	v := &versions{}
	d.out.title("Alternating users, the clone's turn: the administrator clones %s", user(fields))
	original, clone, err := d.rotate(ctx, arn, f, v)
	if err != nil {
		return err
	}
	d.out.promise(d.works(ctx, clone), "%s logs in", user(clone))
	d.out.promise(d.works(ctx, original), "%s still logs in: who holds the old secret goes on working", user(original))
	if d.Create != nil {
		d.out.promise(d.Create(ctx, clone), "%s may do what %s may: it writes", user(clone), user(original))
	}
	d.out.title("Alternating users, the original's turn: %s gets a new password", user(original))
	_, renewed, err := d.rotate(ctx, arn, f, v)
	if err != nil {
		return err
	}
	d.out.promise(d.works(ctx, renewed), "%s logs in with its new password", user(renewed))
	d.out.promise(d.refused(ctx, original), "its old password is refused")
	d.out.promise(d.works(ctx, clone), "%s still logs in", user(clone))
	if d.Use != nil {
		d.out.promise(d.Use(ctx, renewed), "%s reads what %s wrote, and removes it", user(renewed), user(clone))
	}
	return nil
}

// secrecy searches the logs.
func (d *demo) secrecy(context.Context) error {
	d.out.title("Secrecy: %d passwords and %d RotationTokens so far", len(d.known()), len(d.RotationTokens()))
	var log strings.Builder
	for _, f := range d.functions {
		log.WriteString(f.Log())
	}
	text := log.String()
	d.out.promise(d.absent(text), "none in the %d lines that the function logged", strings.Count(text, "\n"))
	if server := d.LogSince(d.begin); d.HasLog() {
		d.out.promise(d.absent(server), "none in the %d lines that the server logged, statements included", strings.Count(server, "\n"))
	}
	return nil
}

// known are the passwords, each once.
func (d *demo) known() map[string]bool {
	all := map[string]bool{}
	for _, p := range d.passwords {
		all[p] = true
	}
	return all
}

func (d *demo) absent(text string) error {
	sensitive := d.known()
	for _, token := range d.RotationTokens() {
		sensitive[token] = true
	}
	for s := range sensitive {
		if strings.Contains(text, s) {
			return errors.New("one is there")
		}
	}
	return nil
}

func (d *demo) works(ctx context.Context, secret map[string]any) error {
	return d.Login(ctx, secret)
}

func (d *demo) refused(ctx context.Context, secret map[string]any) error {
	err := d.Login(ctx, secret)
	if err == nil {
		return errors.New("it logs in")
	}
	if !errors.Is(err, servertest.ErrRefused) {
		return err
	}
	return nil
}

// tour says how to look around.
func (d *demo) tour() {
	aws := fmt.Sprintf("aws --endpoint-url %s secretsmanager", d.URL)
	d.out.title("Running until Ctrl-C. In another terminal:")
	d.out.line("  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1")
	d.out.line("  %s list-secrets", aws)
	d.out.line("  %s rotate-secret --secret-id demo/single", aws)
	d.out.line("  %s list-secret-version-ids --secret-id demo/single", aws)
	d.out.line("  secret=$(%s get-secret-value --secret-id demo/single --query SecretString --output text)", aws)
	d.out.line("  "+d.Example.Client, user(d.single))
	d.out.line("")
	d.out.line("What the functions say comes below. Break a secret (put-secret-value), rotate it, and read the remedy.")
	d.live.show(d.out)
}
