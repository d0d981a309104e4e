// Command watcher is the Lambda function that writes how the secrets of a region
// stand with their rotations as metrics, on a schedule.
package main

import "github.com/seed492efc12/rotor/internal/watcher"

func main() { watcher.Start() }
