package watcher

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	functions "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/logging"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
)

// attempts are how often a call is made, if AWS throttles it: nobody waits for the
// answer.
const attempts = 8

// Start runs the Lambda function. It does not return.
func Start() {
	log.SetFlags(0)
	told := slog.New(lambdacontext.NewLogHandler())
	told.Info("started", "rotor", serve.Version)
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithAppID("rotor-"+serve.Version),
		config.WithRetryMaxAttempts(attempts), config.WithLogger(logging.Nop{}))
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(Watcher{
		Place: fleet.Place{Region: cfg.Region, Secrets: secretsmanager.NewFromConfig(cfg), Functions: functions.NewFromConfig(cfg)},
		Logs:  cloudwatchlogs.NewFromConfig(cfg),
		Out:   os.Stdout,
		Log:   told,
		Now:   time.Now,
	}.Handle)
}

// An Event is what EventBridge sends on a schedule.
type Event struct {
	DetailType string `json:"detail-type"`
}

var errEvent = errors.New(`this function takes EventBridge's scheduled events, such as {"detail-type": "Scheduled Event"}, and rotates nothing`)

// Handle answers an invocation. It refuses other events, among them the steps of a
// rotation: whoever attaches it to a secret is told at once.
func (w Watcher) Handle(ctx context.Context, e Event) error {
	if e.DetailType != "Scheduled Event" {
		return errEvent
	}
	return w.Watch(ctx)
}
