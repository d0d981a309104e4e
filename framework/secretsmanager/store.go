// Package secretsmanager is a [rotation.Store] over AWS Secrets Manager, and
// the only importer of its SDK.
package secretsmanager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A Store reads and writes secrets. It keeps its connections alive, and leaves
// retries to the engine.
type Store struct{ client *sm.Client }

var _ rotation.Store = (*Store)(nil)

// connections is as many requests as a step makes at once. Without the limit
// net/http dials one more where a reply has been read, but its connection is
// not idle yet.
const connections = 3

// New returns a store that finds region and credentials as every AWS SDK does.
// If endpoint is not empty, it is called instead of the region's. App is what the
// user agent calls the program, unless the environment says otherwise
// (AWS_SDK_UA_APP_ID).
func New(ctx context.Context, endpoint, app string) (*Store, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxConnsPerHost, t.MaxIdleConnsPerHost = connections, connections
		http1(t)
	})
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client), config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }))
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	return &Store{sm.NewFromConfig(cfg, func(o *sm.Options) {
		o.AppID = cmp.Or(o.AppID, app)
		o.HTTPClient = keepAlive{o.HTTPClient}
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
	})}, nil
}

// Over returns a store that calls a client of the caller's, which sees to its own
// retries.
func Over(client *sm.Client) *Store { return &Store{client} }

// http1 keeps t from HTTP/2: its client in net/http prints every value that it
// sends or gets if GODEBUG holds http2debug=2.
func http1(t *http.Transport) {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.TLSNextProto = nil
	t.TLSClientConfig.NextProtos = nil // as the SDK made it, it offers h2
}

// Status implements rotation.Store.
func (s *Store) Status(ctx context.Context, id string) (rotation.Status, error) {
	out, err := s.client.DescribeSecret(ctx, &sm.DescribeSecretInput{SecretId: &id})
	if err != nil {
		return rotation.Status{}, fault(err, id)
	}
	if out.DeletedDate != nil {
		return rotation.Status{}, rotation.Fail(rotation.BadSecret, "the secret %s is scheduled for deletion", id).
			With("Restore the secret (RestoreSecret), or stop rotating it.")
	}
	st := rotation.Status{RotationEnabled: aws.ToBool(out.RotationEnabled), Function: aws.ToString(out.RotationLambdaARN), Stages: out.VersionIdsToStages, Tags: map[string]string{}}
	for _, t := range out.Tags {
		st.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return st, nil
}

// Get implements rotation.Store.
func (s *Store) Get(ctx context.Context, id, stage, version string) (secret.Document, error) {
	in := &sm.GetSecretValueInput{SecretId: &id, VersionStage: &stage}
	if version != "" {
		in.VersionId = &version
	}
	out, err := s.client.GetSecretValue(ctx, in)
	if err != nil {
		return secret.Document{}, fault(err, id)
	}
	if out.SecretString == nil {
		return secret.Document{}, rotation.Fail(rotation.BadSecret, "the %s value of %s is binary, not a JSON text", stage, id)
	}
	d, err := secret.Parse([]byte(*out.SecretString))
	if err != nil {
		return d, rotation.Fail(rotation.BadSecret, "reading the %s value of %s: %w", stage, id, err)
	}
	return d, nil
}

// Put implements rotation.Store.
func (s *Store) Put(ctx context.Context, e rotation.Event, d secret.Document) error {
	in := &sm.PutSecretValueInput{
		SecretId:           &e.SecretID,
		ClientRequestToken: &e.Token,
		SecretString:       aws.String(string(d.Bytes())),
		VersionStages:      []string{rotation.Pending},
	}
	if e.RotationToken != "" {
		in.RotationToken = &e.RotationToken
	}
	_, err := s.client.PutSecretValue(ctx, in)
	var exists *types.ResourceExistsException
	if errors.As(err, &exists) {
		return nil // another run was first: a token's value never changes
	}
	return fault(err, e.SecretID)
}

// Promote implements rotation.Store.
func (s *Store) Promote(ctx context.Context, id, from, to string) error {
	in := &sm.UpdateSecretVersionStageInput{SecretId: &id, VersionStage: aws.String(rotation.Current), MoveToVersionId: &to}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	_, err := s.client.UpdateSecretVersionStage(ctx, in)
	return fault(err, id)
}
