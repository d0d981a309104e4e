package main

import "time"

// The quotas, a second, of one account in one region.
// Source: Secrets Manager user guide, "Secrets Manager quotas"; Lambda developer guide, "Lambda quotas".
const (
	rotateQuota = 50     // RotateSecret
	writeQuota  = 50     // PutSecretValue and UpdateSecretVersionStage together
	readQuota   = 10_000 // DescribeSecret and GetSecretValue, each
	concurrency = 1_000  // invocations of all functions at one time
)

// A bucket lets so many calls through each second; what was not used is kept for one second (?).
type bucket struct {
	rate   float64
	tokens float64
	filled time.Duration // when it was last filled
}

func newBucket(rate float64) *bucket { return &bucket{rate: rate, tokens: rate} }

// take reports whether a call may pass at a time, which never goes back.
func (b *bucket) take(now time.Duration) bool {
	b.tokens = min(b.rate, b.tokens+b.rate*(now-b.filled).Seconds())
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
