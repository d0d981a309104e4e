package database

import (
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// managedTags are the tags by which a service marks the administrator secret
// that it manages; their value is the ARN of the server. Nobody else can set a
// tag that begins with aws:.
var managedTags = []string{"aws:rds:primaryDBInstanceArn", "aws:rds:primaryDBClusterArn", "aws:redshift:primaryClusterArn"}

// managedFor proves that an administrator secret without a host belongs to
// host: a tag names a server whose identifier, region and kind are in the host
// name, in the account of the secret under rotation. What cannot be proven is
// refused: the password would go to a server of somebody else's choice.
func managedFor(tags map[string]string, host, secretID string) error {
	h, ok := parseEndpoint(host)
	if !ok {
		return rotation.Fail(rotation.BadSecret, "the administrator secret names no host, and %q is no endpoint that could be compared with its tags", host).
			With("Use the instance's or the cluster's own endpoint as host, or an administrator secret that names the host.")
	}
	account := arnPart(secretID, arnAccount)
	for _, key := range managedTags {
		arn := tags[key]
		kind, id, _ := strings.Cut(arnPart(arn, arnResource), ":")
		if account != "" && arnPart(arn, arnAccount) == account && arnPart(arn, arnRegion) == h.region &&
			arnPart(arn, arnService) == h.service && kind == h.kind && strings.EqualFold(id, h.id) {
			return nil
		}
	}
	return rotation.Fail(rotation.BadSecret, "the administrator secret names no host, and no tag of it says that it is the one of %s %q in region %s of this account", h.kind, h.id, h.region).
		With("Use the instance's or the cluster's own endpoint as host (of an Aurora cluster: the cluster's writer endpoint), or an administrator secret that names the host.")
}

// The parts of an ARN: arn:partition:service:region:account:resource.
const (
	arnService  = 2
	arnRegion   = 3
	arnAccount  = 4
	arnResource = 5
)

func arnPart(arn string, part int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[part]
}

// An endpoint is what the DNS name of a managed server tells.
type endpoint struct{ service, kind, id, region string }

// parseEndpoint reads the names that RDS, Aurora, DocumentDB and Redshift give:
//
//	ID.HASH.REGION.rds.amazonaws.com            an instance
//	ID.cluster-HASH.REGION.rds.amazonaws.com    a cluster's writer; docdb likewise
//	ID.HASH.REGION.redshift.amazonaws.com       a cluster
//	ID.HASH.rds.REGION.amazonaws.com.cn         the same in China
//
// Reader, custom and proxy endpoints are refused: they prove nothing, or
// cannot change a password.
func parseEndpoint(host string) (endpoint, bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	labels := strings.Split(host, ".")
	var service, region string
	switch {
	case len(labels) == 6 && strings.HasSuffix(host, ".amazonaws.com"):
		region, service = labels[2], labels[3]
	case len(labels) == 7 && strings.HasSuffix(host, ".amazonaws.com.cn"):
		service, region = labels[2], labels[3]
	default:
		return endpoint{}, false
	}
	e := endpoint{service: "rds", kind: "db", id: labels[0], region: region}
	cluster := strings.HasPrefix(labels[1], "cluster-") && !strings.HasPrefix(labels[1], "cluster-ro-") && !strings.HasPrefix(labels[1], "cluster-custom-")
	switch {
	case service == "redshift" && !strings.Contains(labels[1], "-"):
		e.service, e.kind = "redshift", "cluster"
	case (service == "rds" || service == "docdb") && cluster:
		e.kind = "cluster"
	case service == "rds" && !strings.Contains(labels[1], "-"):
	default:
		return endpoint{}, false
	}
	return e, true
}
