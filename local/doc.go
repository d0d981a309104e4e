// Package local runs everything that a rotation needs on one machine, for tests, demos and benchmarks.
//
// It has two halves, which work alone or together:
//
//   - [SecretsManager] stands in for AWS Secrets Manager. It is an [net/http.Handler] that speaks AWS JSON 1.1 to
//     the official SDKs, the AWS CLI and boto3, keeps the service's rules for versions, staging labels,
//     idempotency and errors, and runs RotateSecret's four steps in the background.
//   - [Function] hosts the Lambda Runtime API for a real bootstrap binary: the very file that is deployed.
//
// [Functions] joins them, and stands in for the part of the Lambda API that an operator needs: aws lambda invoke,
// list-functions, get-function and get-function-configuration, at the same address as Secrets Manager. A whole rotation
// against a real binary is:
//
//	functions := new(local.Functions)
//	service := local.NewSecretsManager(local.Options{Invoke: functions})
//	server, err := service.Serve()
//	...
//	function, err := local.StartFunction(local.FunctionConfig{
//		Bootstrap: "dist/postgres/bootstrap",
//		Env:       map[string]string{"SECRETS_MANAGER_ENDPOINT": server.URL},
//	})
//	functions.Add(function)
//	... CreateSecret, RotateSecret and Invoke through any SDK at server.URL ...
//	err = service.Wait(ctx, secretID, token)
//
// # What it is not
//
// It checks no signature, and no permission but by [Options].Permits: requests may be signed with anything or not at
// all. The region that one is signed for is where it goes; replicas are in others. It encrypts nothing and keeps everything in memory.
// Resource policies are checked and kept, and nobody is judged by them. Externally managed rotation is refused. Rotation
// schedules are stored and shown, but no scheduler runs them: only RotateSecret starts a rotation. Quotas on request rates
// are not kept; use [Options].Intercept to inject a ThrottlingException.
//
// Of Lambda there is one execution environment for each function, so that invocations wait for their turn; no published
// version, so that an alias is another name of $LATEST; and no retry of an invocation of the type Event. Functions are
// added by this package's own means, and [DeclareFunction] makes those that only have to be there.
package local
