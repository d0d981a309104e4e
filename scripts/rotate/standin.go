package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/seed492efc12/rotor/local"
)

// A standIn is Secrets Manager with one function.
type standIn struct {
	url      string // as the function sees it
	client   *secretsmanager.Client
	function *function

	service *local.SecretsManager
	server  *http.Server
}

// open serves a stand-in where functions of the host reach it. The caller sets
// its function.
func open(h host) (*standIn, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(h.listen, "0"))
	if err != nil {
		return nil, err
	}
	s := &standIn{url: "http://" + net.JoinHostPort(h.address, port(listener))}
	s.service = local.NewSecretsManager(local.Options{Retries: -1, Invoke: local.InvokerFunc(
		func(ctx context.Context, _ string, event []byte) error { return s.function.invoke(ctx, event) })})
	s.server = &http.Server{Handler: s.service, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(listener) }() // until close, and only then
	endpoint := "http://" + listener.Addr().String()
	s.client = secretsmanager.New(secretsmanager.Options{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: aws.AnonymousCredentials{}})
	return s, nil
}

func port(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }

func (s *standIn) close() error {
	s.service.Close()
	err := s.server.Close()
	if s.function != nil {
		err = errors.Join(err, s.function.close())
	}
	return err
}

func (s *standIn) create(ctx context.Context, name string, fields map[string]any) (arn string, err error) {
	value, err := json.Marshal(fields)
	if err != nil {
		return "", err
	}
	out, err := s.client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(string(value))})
	if err != nil {
		return "", fmt.Errorf("making the secret %s: %w", name, err)
	}
	return *out.ARN, nil
}

// rotate calls RotateSecret, waits for the end of the rotation, and returns what
// the secret's current version then holds. It is the version of this rotation.
func (s *standIn) rotate(ctx context.Context, secret string) (fields map[string]any, err error) {
	token, function := "rotate-"+rand.Text()+rand.Text(), "arn:aws:lambda:us-east-1:123456789012:function:rotor"
	if _, err := s.client.RotateSecret(ctx, &secretsmanager.RotateSecretInput{
		SecretId: &secret, ClientRequestToken: &token, RotationLambdaARN: &function,
	}); err != nil {
		return nil, err
	}
	if err := s.service.Wait(ctx, secret, token); err != nil {
		return nil, err
	}
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secret})
	if err != nil {
		return nil, err
	}
	if *out.VersionId != token {
		return nil, errors.New("the rotation succeeded, and AWSCURRENT is not on its version")
	}
	err = json.Unmarshal([]byte(*out.SecretString), &fields)
	return fields, err
}
