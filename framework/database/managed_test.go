package database

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"
)

func TestManagedAdministratorsAreProven(t *testing.T) {
	const (
		secretID = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:user-AbCdEf"
		instance = "arn:aws:rds:eu-west-1:111122223333:db:shop"
		cluster  = "arn:aws:rds:eu-west-1:111122223333:cluster:shop"
		redshift = "arn:aws:redshift:eu-west-1:111122223333:cluster:shop"
		rdsDB    = "aws:rds:primaryDBInstanceArn"
		rdsCl    = "aws:rds:primaryDBClusterArn"
		red      = "aws:redshift:primaryClusterArn"
	)
	for _, c := range []struct {
		name, host, tag, value, secretID string
		ok                               bool
	}{
		{"instance", "shop.abc123.eu-west-1.rds.amazonaws.com", rdsDB, instance, secretID, true},
		{"capitals and final dot", "Shop.abc123.eu-west-1.RDS.amazonaws.com.", rdsDB, instance, secretID, true},
		{"cluster", "shop.cluster-abc123.eu-west-1.rds.amazonaws.com", rdsCl, cluster, secretID, true},
		{"DocumentDB", "shop.cluster-abc123.eu-west-1.docdb.amazonaws.com", rdsCl, cluster, secretID, true},
		{"Redshift", "shop.abc123.eu-west-1.redshift.amazonaws.com", red, redshift, secretID, true},
		{"China", "shop.abc123.rds.cn-north-1.amazonaws.com.cn", rdsDB, "arn:aws-cn:rds:cn-north-1:111122223333:db:shop", "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:x", true},
		{"other region", "shop.abc123.us-east-1.rds.amazonaws.com", rdsDB, instance, secretID, false},
		{"other identifier", "shop2.abc123.eu-west-1.rds.amazonaws.com", rdsDB, instance, secretID, false},
		{"other account", "shop.abc123.eu-west-1.rds.amazonaws.com", rdsDB, "arn:aws:rds:eu-west-1:999999999999:db:shop", secretID, false},
		{"secret without account", "shop.abc123.eu-west-1.rds.amazonaws.com", rdsDB, "arn:aws:rds:eu-west-1::db:shop", "user", false},
		{"cluster's tag, instance's host", "shop.abc123.eu-west-1.rds.amazonaws.com", rdsCl, cluster, secretID, false},
		{"instance's tag, cluster's host", "shop.cluster-abc123.eu-west-1.rds.amazonaws.com", rdsDB, instance, secretID, false},
		{"reader", "shop.cluster-ro-abc123.eu-west-1.rds.amazonaws.com", rdsCl, cluster, secretID, false},
		{"custom endpoint", "shop.cluster-custom-abc123.eu-west-1.rds.amazonaws.com", rdsCl, cluster, secretID, false},
		{"proxy", "shop.proxy-abc123.eu-west-1.rds.amazonaws.com", rdsDB, instance, secretID, false},
		{"lookalike", "shop.abc123.eu-west-1.rds.amazonaws.com.evil.example", rdsDB, instance, secretID, false},
		{"another lookalike", "shop.abc123.eu-west-1.rds.evilamazonaws.com", rdsDB, instance, secretID, false},
		{"alias", "db.example.com", rdsDB, instance, secretID, false},
		{"a tag anyone can set", "shop.abc123.eu-west-1.rds.amazonaws.com", "rds:primaryDBInstanceArn", instance, secretID, false},
		{"empty", "", rdsDB, instance, secretID, false},
	} {
		if err := managedFor(map[string]string{c.tag: c.value}, c.host, c.secretID); (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestAuthoritiesOfRDSAreValid(t *testing.T) {
	page, err := os.ReadFile("../../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	rest, n, regions := rdsAuthorities, 0, map[string]bool{}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		n++
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !cert.IsCA || time.Now().After(cert.NotAfter) {
			t.Errorf("certificate %d, of %v: %v", n, cert.Subject, err)
		}
		region, _, _ := strings.Cut(strings.TrimPrefix(cert.Subject.CommonName, "Amazon RDS "), " ")
		regions[region] = true
		if !strings.Contains(string(page), region) {
			t.Errorf("docs/deploy.md does not say that authorities of %s are built in", region)
		}
	}
	if len(regions) != 27 {
		t.Errorf("of %d regions; README.md says 27", len(regions))
	}
	if n < 80 {
		t.Errorf("only %d certificates", n)
	}
}

func TestRootsRefuseWhatIsNoCertificate(t *testing.T) {
	if _, err := Roots([]byte("nonsense")); err == nil {
		t.Error("accepted")
	}
	if _, err := Roots(nil); err != nil {
		t.Error(err)
	}
}
