package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/seed492efc12/rotor/local"
)

// TestMain lets the test binary be its own bootstrap (see bootstrap_test.go) and its own host (parentdeath_test.go).
func TestMain(m *testing.M) {
	if mode := os.Getenv(bootstrapMode); mode != "" {
		runBootstrap(mode)
		return
	}
	if os.Getenv(hostMode) != "" {
		runHost()
		return
	}
	os.Exit(m.Run())
}

// service is a stand-in on the network with the real SDK's client, which does not retry.
type service struct {
	*local.SecretsManager
	*secretsmanager.Client
	url string
}

func serve(t *testing.T, o local.Options) service {
	t.Helper()
	stand := local.NewSecretsManager(o)
	server, err := stand.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("closing the server: %v", err)
		}
	})
	return service{SecretsManager: stand, Client: client(server.URL), url: server.URL}
}

// in is the same stand-in, seen by a client that signs for another region.
func (s service) in(region string) service {
	s.Client = secretsmanager.New(s.Options(), func(o *secretsmanager.Options) { o.Region = region })
	return s
}

func client(url string) *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(url),
		Retryer:      aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})
}

// token makes a ClientRequestToken that is easy to tell from others.
func token(name string) string { return name + strings.Repeat("-", 36-len(name)) }

// create makes a secret with one version, token("one"), and returns its ARN.
func (s service) create(t *testing.T, name, value string) string {
	t.Helper()
	return *must(s.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: &name, SecretString: &value, ClientRequestToken: aws.String(token("one")),
	}))(t).ARN
}

// put makes the version token(version) with those labels, AWSCURRENT if there are none.
func (s service) put(t *testing.T, id, version, value string, labels ...string) {
	t.Helper()
	must(s.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &id, ClientRequestToken: aws.String(token(version)), SecretString: &value, VersionStages: labels,
	}))(t)
}

func (s service) describe(t *testing.T, id string) *secretsmanager.DescribeSecretOutput {
	t.Helper()
	return must(s.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &id}))(t)
}

// labels is the state of a secret in one line: "one=AWSPREVIOUS two=AWSCURRENT,AWSPENDING", in the versions' order.
func (s service) labels(t *testing.T, id string) string {
	t.Helper()
	list := must(s.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: &id}))(t)
	var parts []string
	for _, v := range list.Versions {
		parts = append(parts, strings.TrimRight(*v.VersionId, "-")+"="+strings.Join(v.VersionStages, ","))
	}
	return strings.Join(parts, " ")
}

func (s service) wantLabels(t *testing.T, id, want string) {
	t.Helper()
	if got := s.labels(t, id); got != want {
		t.Errorf("labels are %q, want %q", got, want)
	}
}

// must is for calls that have to succeed: must(call())(t) is their result.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// wantCode checks an API error's code and that its message contains text.
func wantCode(t *testing.T, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got error %v, want %s", err, code)
	}
	if api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		t.Errorf("got %s %q, want %s %q", api.ErrorCode(), api.ErrorMessage(), code, text)
	}
}

// reply is a raw answer.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

// post sends a hand-made request, as no SDK would.
func post(t *testing.T, url, operation, body string) reply {
	t.Helper()
	return send(t, url, "secretsmanager."+operation, "application/x-amz-json-1.1", body)
}

// postIn is post, signed for a region.
func postIn(t *testing.T, url, region, operation, body string) reply {
	t.Helper()
	return send(t, url, "secretsmanager."+operation, "application/x-amz-json-1.1", body,
		"AWS4-HMAC-SHA256 Credential=any/20300101/"+region+"/secretsmanager/aws4_request, SignedHeaders=host, Signature=0")
}

func send(t *testing.T, url, target, contentType, body string, authorization ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", target)
	request.Header.Set("Content-Type", contentType)
	for _, header := range authorization {
		request.Header.Set("Authorization", header)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	if err := json.Unmarshal(text, &r.body); err != nil {
		t.Fatalf("reply %q: %v", text, err)
	}
	return r
}

// quick makes retries follow within a millisecond.
func quick(int) time.Duration { return time.Millisecond }
