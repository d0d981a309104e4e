package local_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/seed492efc12/rotor/local"
)

// lambdaClient is the real SDK's client, which does not retry.
func lambdaClient(url string) *lambda.Client {
	return lambda.New(lambda.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(url),
		Retryer:      aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})
}

func TestAFunctionThatIsNotThereIsNotFound(t *testing.T) {
	server := httptest.NewServer(new(local.Functions))
	defer server.Close()
	_, err := lambdaClient(server.URL).GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("none")})
	wantCode(t, err, "ResourceNotFoundException", "Function not found")
}
