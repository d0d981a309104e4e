package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go/logging"

	"github.com/seed492efc12/rotor/framework/serve"
)

// clouds are the profiles and regions that the command line names.
type clouds struct{ profiles, regions []string }

// A cloud is one profile and region.
type cloud struct {
	profile, region string
	secrets         *secretsmanager.Client
	functions       *lambda.Client
	logs            *cloudwatchlogs.Client
}

// open reads the configuration of each profile and region. Credentials are found in
// the SDK's usual places, and only when they are needed. The SDK says nothing of what
// it tries again: an error of the last attempt says it all.
func (c *clouds) open(ctx context.Context) (all []cloud, err error) {
	profiles, regions := c.profiles, c.regions
	if len(profiles) == 0 {
		profiles = []string{""}
	}
	if len(regions) == 0 {
		regions = []string{""}
	}
	for _, p := range profiles {
		for _, r := range regions {
			options := []func(*config.LoadOptions) error{config.WithAppID("rotor-" + serve.Version), config.WithLogger(logging.Nop{})}
			if p != "" {
				options = append(options, config.WithSharedConfigProfile(p))
			}
			if r != "" {
				options = append(options, config.WithRegion(r))
			}
			cfg, err := config.LoadDefaultConfig(ctx, options...)
			if err != nil {
				return nil, unconfigured(err)
			}
			if cfg.Region == "" {
				return nil, usageError{errors.New("no region: give --region, or set AWS_REGION")}
			}
			all = append(all, cloud{p, cfg.Region, secretsmanager.NewFromConfig(cfg), lambda.NewFromConfig(cfg), cloudwatchlogs.NewFromConfig(cfg)})
		}
	}
	return all, nil
}

// one is the only profile and region, of a command that touches one.
func (c *clouds) one(ctx context.Context) (cloud, error) {
	all, err := c.open(ctx)
	if err != nil {
		return cloud{}, err
	}
	if len(all) != 1 {
		return cloud{}, usageError{errors.New("this command takes one profile and one region")}
	}
	return all[0], nil
}

// where names a cloud in a message.
func (c cloud) where() string {
	if c.profile == "" {
		return c.region
	}
	return c.profile + " " + c.region
}

func describe(ctx context.Context, c cloud, secret string) (*secretsmanager.DescribeSecretOutput, error) {
	out, err := c.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(secret)})
	var none *types.ResourceNotFoundException
	if errors.As(err, &none) {
		return nil, remedied(fmt.Sprintf("there is no secret %q in %s", secret, c.where()), "check the name, --region and --profile; rotor status --all lists all secrets.")
	}
	return out, explained(err, "secretsmanager:DescribeSecret")
}
