package sqlserver

// ClassQueries are the queries that a session sends for what a user has of any
// class, on a server of a major version.
func ClassQueries(version int) (all []string) {
	for _, k := range classes {
		if version >= k.since {
			all = append(all, k.permissions())
		}
	}
	return append(all, ownings(version))
}
