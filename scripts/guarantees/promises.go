package main

import (
	"slices"

	"github.com/seed492efc12/rotor/scripts/engines"
)

// A promise is one of those in docs/design.md.
type promise struct {
	title, text string
	evidence    []evidence
	sums        []sum
	tables      []table
	remedies    bool   // the list of those that were executed
	not         string // what is not proven
}

// An evidence is a test that fails if the promise is broken.
type evidence struct{ test, what string }

const opening = `# Guarantees

What Rotor promises, which tests fail when a promise breaks, how much they cover, and what nobody has proven. ` + "`make guarantees`" + ` runs
all tests, with every kind of fault at every point, and writes this page; it fails if a test that is named here did not pass.

Someone else's rotator can be held to the same: a driver by ` + "`databasetest.Run`" + `, any rotator by ` + "`rotationtest.Run`" + `, a built function by
` + "`functiontest.Run`" + ` (docs/write-a-rotator.md). That the tests themselves would notice is checked by ` + "`make mutants`" + `: it breaks the code in
each way of scripts/mutants/list.go, one at a time, and wants a test to fail each time.

Two kinds of tables are kept apart. *On real servers* is what somebody else's software said. *Our code against our reading of the manual*
is what our imitations said: they speak the real protocol to the real client library (for Oracle: a protocol of our own, in the
client library's place), and know of the database what its manual says. A server that is to be real and is not there fails ` + "`make guarantees`" + `.
`

// fatalAlone is what a page says that is not from a full run.
const fatalAlone = `
**This page is from a run with ` + "`-sweep %s`" + `**: faults of which the function dies, at every point, on %s; every
other test on all servers. ` + "`make guarantees`" + ` puts passing faults too, on all servers, cuts off connections in process, and lets slow runs overlap
with their retries.
`

// functions is a test that the function of each engine passes.
func functions(test, what string) (all []evidence) {
	for _, e := range engines.All() {
		of := e.Title()
		if e.Products[0].Example == nil {
			of += ", with the stand-in's client linked in"
		}
		all = append(all, evidence{"functions/" + e.Name + " " + test, what + ": " + of})
	}
	return all
}

// promises are in the order of docs/design.md.
var promises = []promise{neverLockedOut, noFewerRights, noRefusedLogin, neverSeen, verifiedTLS, saysWhatToDo, honestTrial, asDocumented, localAsAWS, holdsUnderLoad, stateIsTold}

var neverLockedOut = promise{
	title: "Never locked out",
	text: `The function may die at any point, before or after the effect of what it was doing. With alternating users AWSCURRENT works at every moment,
with all its rights; with a single user AWSCURRENT or AWSPENDING works. The next run ends well, and never overwrites a pending value.`,
	evidence: slices.Concat([]evidence{
		{"framework/rotation TestACrashAnywhereConvergesAndKeepsThePendingValue", "the engine: each call, before and after, passing and lasting"},
		{"framework/database TestConformance", "the strategies, on a database in memory"},
		{"framework/database TestAPasswordThatLetsNobodyInIsPutBack", "set, prove, put back"},
		{"framework/database TestAnEditDuringARotationIsNotUndone", "AWSCURRENT is corrected while a rotation is pending"},
		{"framework/database TestEveryInterleavingKeepsThePromises", "two processes, a death, an operator: all orders of their calls"},
		{"internal/operate TestRecoverLeadsOutOfWhateverWasCutOff", "rotor recover, wherever a rotation was cut off or a field edited"},
		{"functions/postgres TestAnOperatorLeadsOutWhereverTheFunctionWasKilled", "the same with the built function, killed, and the built command: PostgreSQL"},
		{"functions/mysql TestAnOperatorLeadsOutWhereverTheFunctionWasKilled", "the same: MySQL, the old password kept, and MariaDB"},
		{"functions/documentdb TestAnOperatorLeadsOutWhereverTheFunctionWasKilled", "the same: MongoDB"},
		{"functions/redis TestAnOperatorLeadsOutWhereverTheFunctionWasKilled", "the same: Redis"},
		{"cmd/rotor TestCommandsOnRealServers", "the built command"},
		{"cmd/rotor TestAlternatingUsersGoToRotorAndBack", "from AWS's function for alternating users to Rotor's and back, on PostgreSQL, MySQL, MariaDB and MongoDB; its steps as documented"},
		{"rotators/documentdb TestAUserOfAnotherDatabaseIsNotTouched", "a name that another database has too"},
		{"rotators/postgres TestConformance", "PostgreSQL: the table's rows below"},
		{"rotators/mysql TestConformanceOfRealServers", "MariaDB, and MySQL, the old password kept"},
		{"rotators/mysql TestConformanceOfMySQLWithoutOverlap", "MySQL, the old password not kept"},
		{"rotators/mysql TestACloneCutShortAnywhereConverges", "who can log in with the clone's new password has all rights"},
		{"rotators/sqlserver TestConformance", "SQL Server: logins, and users of contained databases"},
		{"rotators/oracle TestConformance", "Oracle"},
		{"rotators/redshift TestConformance", "Redshift"},
		{"rotators/documentdb TestConformance", "MongoDB and DocumentDB"},
		{"rotators/documentdb TestConformanceWithoutTLS", "MongoDB: the table's rows below"},
		{"rotators/redis TestConformance", "Redis and Valkey, the old password kept: alone, with a replica, with a Sentinel, as a cluster"},
		{"rotators/redis TestConformanceWithoutOverlap", "the old password not kept"},
		{"rotators/redis TestAllNodesAreChangedOrTheNextRunEndsIt", "a node that cannot be changed"},
		{"rotators/redis TestAFailoverBringsNoOldPasswordBack", "users are not replicated"},
		{"rotators/redis TestARestartRemembersTheNewPassword", "and are kept in a file"},
		{"rotators/redis TestAServerStartsAgainWhateverItsUsersAreCalled", "unless the server could not read it again"},
		{"rotators/redis TestTheReplicasOfAClusterAreChangedToo", "users of a cluster's replicas"},
		{"examples/apikey TestConformance", "a rotator that is no database"},
	}, functions("TestTheProcessKeepsItsPromisesWhateverHappensToIt", "the built function, killed at each outside call; two runs at once")),
	sums: []sum{{"every-interleaving/schedules", "Orders of the calls of two processes, with one of them dying at any: all that differ, %d."}},
	tables: []table{
		{"Points in two rotations, times the kinds of faults that are put at each. The call has its effect, and its reply is lost (so is the world before the next call): for good, as the function is dead, or, on the newest server of a product, for a moment. " +
			"Calls are those to Secrets Manager; writes are those of the client library to its connection, so that every statement is covered, the login included.",
			[]column{{"never-locked-out/store", "points", "calls"}, {"never-locked-out/connection", "points", "writes"}}},
		{"The built function, killed (SIGKILL) at a point and then run again as Secrets Manager does: each request to Secrets Manager and each exchange with the database.",
			[]column{{"never-locked-out/process", "points", "kills"}, {"runs-at-once-agree/process", "steps", "steps run twice at once"}, {"overlapping-runs-agree/process", "points", "slow runs beside their retry"}}},
		{"The built function, killed at a point, and nobody but an operator with `rotor recover` goes on: each point with AWSCURRENT as it is, with a field edited, and with a wrong password in it. " +
			"After the first step AWSCURRENT works, and where it worked before an application logs in all the time; three steps are enough; the next rotation succeeds (on a server without marks, with CLONE_ADOPT where an edit has moved AWSPREVIOUS). AWSCURRENT does not work " +
			"from setSecret to finishSecret of a single user whose old password is not kept, and at no other point.",
			[]column{{"recovered/process", "cases", "recoveries"}, {"recovered/process", "window", "of them with AWSCURRENT refused"}, {"recovered/process", "logins", "logins, none refused"}}},
	},
	not: `real SQL Server, Oracle, Redshift and DocumentDB; RDS and Aurora. A fault of the server itself, such as a commit that it
forgets, is not simulated. How many writes a rotation of MongoDB's has varies, since its client library watches the server beside the session.`,
}

var noFewerRights = promise{
	title: "No clone with fewer rights",
	text: `testSecret compares what the pending user may do with what the current one may, and fails, naming the rights, before the label moves. A clone gets
and loses what its original does, at each rotation.`,
	evidence: []evidence{
		{"framework/database TestRightsFollowTheOriginal", "granted and revoked rights reach the clone"},
		{"framework/database TestDrift", "what only the clone has stops the rotation, or is granted if the operator says so"},
		{"rotators/postgres TestTheCloneFollowsTheOriginal", "attributes, settings, memberships, on real servers"},
		{"rotators/postgres TestWhatTheCloneMakesIsTheOriginals", "ownership"},
		{"rotators/postgres TestACloneMadeByOtherMeansIsPutInOrder", "a clone of AWS's function"},
		{"rotators/mysql TestACloneMayDoExactlyWhatWasGranted", "tried out, statement by statement"},
		{"rotators/mysql TestACloneOnMySQLIsTheSame", "MySQL 5.7, 8 and 9"},
		{"rotators/sqlserver TestTheCloneFollowsTheOriginal", "every database, denials, columns"},
		{"rotators/oracle TestTheCloneFollowsTheOriginal", "roles, quotas, privileges, columns"},
		{"rotators/redshift TestTheCloneFollowsTheOriginal", "groups, roles, direct grants, default privileges"},
		{"rotators/redshift TestRotatedUsersCanDoInFactWhatTheyCouldDo", "tried out on PostgreSQL with Redshift's views"},
		{"rotators/documentdb TestRolesThatChangedSinceTheCloneWasMade", "roles"},
		{"rotators/redis TestTheCloneFollowsTheOriginal", "commands, keys, channels, selectors, at every node"},
		{"rotators/redis TestRotationsGiveAnAttackerNothing", "names and patterns that are rules, twins, edited secrets: nobody has more afterwards, and nobody else is touched"},
	},
	not: `rights that the engine's own catalog does not show to the user itself: in other databases of PostgreSQL all but ownership, outside the secret's
database on Redshift, row-level policies and masking; on Oracle network ACLs and policies by name. docs/design.md has the list for each engine.`,
}

var noRefusedLogin = promise{
	title: "No refused login",
	text:  `A healthy rotation has no refused login, so that nobody is locked out and no alarm goes off. Unknown errors are never retried.`,
	evidence: slices.Concat([]evidence{
		{"framework/rotation TestOnlyTransientErrorsAreRetried", "retries"},
		{"framework/database TestALockedAccountEndsTheStep", "a locked account is not tried again"},
		{"framework/database TestConformance", "logins are counted: 3, 4 or 5 in a rotation, none refused"},
		{"rotators/postgres TestConformance", "the same on every server, here and below"},
		{"rotators/postgres TestTheServersLogHoldsNoPasswordAndNoRefusal", "as the server's log counts them"},
		{"rotators/mysql TestAStrictAccountIsRotatedByStepsThatRunTwice", "an account that one failed login locks for good, and that takes no password twice"},
		{"functions/redis TestAnApplicationIsNeverRefused", "ten rotations, beside an application that logs in all the time with what it has read before"},
		{"rotators/documentdb TestASessionIsOneLogin", "a client library that connects by itself"},
	}, functions("TestThreeRotationsInARow", "the built function, as the server's log counts logins where it can be read")),
	not: `what the engines' own client libraries do in versions other than those in go.mod.`,
}

var neverSeen = promise{
	title: "The password is never seen",
	text: `Not in a log line, an error, a metric, a panic, the arguments or the environment of the process; and not in the server's log where the server takes
hashes (PostgreSQL, MariaDB, Redshift) or masks statements.`,
	evidence: slices.Concat([]evidence{
		{"framework/rotation TestNothingSensitiveLeaves", "errors, notes, retries, in every form of quoting"},
		{"framework/rotation TestAPanicWhileReadingIsAnError", "panics"},
		{"framework/secret TestNeverPrints", "every verb of fmt"},
		{"framework/secret TestRedactsEveryFormButNoPublicField", ""},
		{"framework/database TestLoginsNeverPrintThePassword", ""},
		{"local TestLogHoldsNoValueAndNoToken", "the stand-in of Secrets Manager"},
		{"rotators/postgres TestTheServersLogHoldsNoPasswordAndNoRefusal", "the log of real servers, statements included"},
		{"rotators/mysql TestMariaDBNeverSeesThePassword", "the general log of a real server"},
		{"rotators/redshift TestTheServersLogHoldsNoPasswordAndNoRefusal", ""},
		{"rotators/sqlserver TestTheServersLogHoldsNoPasswordAndNoRefusal", "as far as our server masks what SQL Server masks"},
		{"rotators/documentdb TestPasswordsAreInCommandsThatSetThemAlone", ""},
		{"framework/rotation/rotationtest TestEachDefectIsFound", "answers to an operator's questions, of any rotator"},
		{"cmd/rotor TestStatusOfAFleet", "all that the operator's command wrote"},
		{"cmd/rotor TestTheDocumentsShowWhatRotorSays", "all that each of its commands wrote"},
		{"cmd/rotor TestDirectAnswersAreTheFunctions", "all that rotor --direct wrote, the clients' own logs turned on"},
		{"cmd/rotor TestDirectIsSilentOverHTTP2", "with GODEBUG=http2debug=2"},
		{"cmd/rotor TestNoCommandShowsAPassword", "each command, however it ends: output, files, requests, arguments, environment, functions' logs; hostile answers"},
	}, functions("TestTheProcessKeepsItsPromisesWhateverHappensToIt", "every byte that the process wrote, its arguments, its environment and the server's log")),
	tables: []table{{"With debug logging on, on healthy and failing paths:",
		[]column{{"no-password-seen/process", "scenarios", "scenarios"}, {"no-password-seen/process", "bytes", "bytes searched"}}}},
	not: `what MySQL, SQL Server and Oracle themselves write of the statements that hold a password; they are sent over TLS. Memory is not wiped.
A value of fewer than four characters is not hidden.`,
}

var verifiedTLS = promise{
	title: "Verified TLS",
	text: `Plain text only where the secret says "ssl": false, or where the operator allows it and the server offers nothing else. A password goes to no host that
AWSCURRENT and the administrator's secret do not both name.`,
	evidence: []evidence{
		{"framework/database TestPlainTextOnlyWhereItWasAskedFor", "the decision"},
		{"framework/database TestErrorsOfTheNetworkHaveTheirClass", ""},
		{"framework/database TestAPendingSecretForElsewhereIsNotDialled", ""},
		{"framework/database TestAdministratorSecrets", ""},
		{"rotators/redis TestASecretForAnotherPrimaryBorrowsNoAdministrator", "a Sentinel with several primaries"},
		{"framework/database TestManagedAdministratorsAreProven", "secrets that RDS manages"},
		{"functions/postgres TestAServerThatCannotBeUsedIsNamedAndNothingIsLost", "real server: no TLS, other authority, wrong name, expired"},
		{"rotators/mysql TestPlainTextIsNeverAnAccident", "real server"},
		{"rotators/mysql TestABadCertificateEndsTheConnection", "real server"},
		{"functions/redshift TestServersThatCannotBeTrustedGetNoPassword", ""},
		{"functions/sqlserver TestServersThatCannotBeTrustedGetNoPassword", ""},
		{"functions/redis TestServersThatCannotBeTrustedGetNoPassword", "real server"},
		{"rotators/oracle TestServersThatCannotBeTrustedGetNoPassword", "the stand-in"},
		{"rotators/oracle TestTLSIsVerifiedForTheNameInTheSecret", "the client library itself"},
		{"rotators/documentdb TestBadCertificatesAreRefused", ""},
	},
	not: `revocation: no OCSP, no lists. That the random part of an RDS endpoint is of your account (docs/design.md).`,
}

var saysWhatToDo = promise{
	title: "Every failure says what to do",
	text:  `A class, the cause, the remedy. The classes are told apart by the Lambda error type and by a metric.`,
	evidence: []evidence{
		{"framework/serve TestOnlyClassifiedErrorsPass", "the outermost boundary"},
		{"framework/serve TestBadSettingsAreNamedAllAtOnce", "settings"},
		{"framework/secretsmanager TestEveryCodeHasItsClass", "Secrets Manager's codes"},
		{"rotators/postgres TestEveryCodeHasItsClass", ""},
		{"rotators/mysql TestEachCodeHasItsClass", ""},
		{"rotators/sqlserver TestEveryCodeHasItsClass", ""},
		{"rotators/oracle TestEachCodeHasItsClass", ""},
		{"rotators/redshift TestEveryCodeHasItsClass", ""},
		{"rotators/documentdb TestEveryCodeHasItsClass", ""},
		{"rotators/redis TestEveryErrorHasItsClass", ""},
		{"rotators/redis TestAServerThatLoadsItsDataIsWaitedFor", "made to happen"},
		{"deploy TestTheDeployPageHasEveryClassWithItsRemedy", "docs/deploy.md has all classes, with the code's own remedies"},
		{"framework TestNoRemedyLeavesTheReaderAlone", "no remedy has a gap"},
		{"functions/postgres TestWhatTheMessagesSayHelps", "the built function: its role's permissions, its settings, its events, the secret's host, Secrets Manager's failures"},
		{"functions/mysql TestWhatTheMessagesSayHelps", "the same, for MySQL and MariaDB"},
		{"functions/documentdb TestWhatTheMessagesSayHelps", "the same, for MongoDB and DocumentDB"},
		{"functions/redis TestWhatTheMessagesSayHelps", "the same, for Redis and Valkey"},
		{"functions/postgres TestAUserThatSomebodyHoldsIsFreedByTheRemedy", "a time-out says who holds the lock"},
		{"functions/mysql TestAServerThatIsLockedIsFreedByTheRemedy", "a time-out says how that is found"},
		{"rotators/mysql TestWhatIsLackedIsGrantedByTheRemedy", "MySQL and MariaDB: an administrator's privileges"},
		{"rotators/documentdb TestWhatUsersLackIsGrantedByTheRemedy", "MongoDB: an administrator's and a user's"},
		{"local/functiontest TestAPanicOfADriverTellsNoPassword", "the log has what the report of a defect needs"},
		{"cmd/rotor TestWhatKeepsFromAWSIsSaidPlainly", "the operator's command: credentials, profiles, proxies, names, certificates"},
		{"cmd/rotor TestWhatAWSRefusesIsSaidPlainly", "the same: each permission that is missing, throttling, what is not there"},
		{"cmd/rotor TestCtrlCEndsWhatWaits", "the same: what goes on without it"},
	},
	remedies: true,
	not:      `that a vendor's code means in every version what its manual says.`,
}

var honestTrial = promise{
	title: "A trial tells the truth",
	text: `A trial (RotateImmediately=false) that says yes is followed by a rotation that succeeds, one that says no by one that fails, and it changes
nothing. That is tried in worlds made at random: users with attributes, settings, rights, roles and restrictions, administrators of several strengths,
and changes by somebody else between three rotations.`,
	evidence: []evidence{
		{"framework/database TestPreflightFindsWhatWouldStopARotation", "a trial in both of its forms"},
		{"framework/database TestATrialAsksForTheTurnThatFollowsIt", "the clone's turn and the original's"},
		{"framework/database TestARuleForPasswordsIsSeenBefore", "a server's rules for passwords"},
		{"cmd/rotor TestDirectAnswersAreTheFunctions", "rotor --direct answers what the function does, to the byte, and calls nothing that writes"},
		{"internal/operate TestADirectAnswerIsBoundToTheFunction", "the secret names the function that is stood in for"},
		{"internal/operate TestWhatCannotBeReadFromHereIsNoAnswer", "what the operator may not read is no failure of the rotation"},
		{"rotators/postgres TestARotationDoesWhatItsTrialSays", "PostgreSQL, with a dump before and after each trial"},
		{"rotators/postgres TestATrialSeesWhatACloneHasBeyondItsOriginal", "PostgreSQL: each kind of right that a clone may have alone, and what the messages say to do"},
		{"rotators/mysql TestARotationDoesWhatItsTrialSays", "MySQL and MariaDB"},
		{"rotators/mysql TestARotationDoesWhatItsTrialSaysOfWhatIsDenied", "MySQL, with partial revokes"},
		{"rotators/mysql TestPasswordSettingsThatFitTheServerHelp", "validate_password, simple_password_check"},
		{"rotators/mysql TestRulesThatSeeNoPasswordRefuseNone", "MariaDB, which is not strict"},
		{"rotators/documentdb TestARotationDoesWhatItsTrialSays", "MongoDB"},
		{"rotators/sqlserver TestARotationDoesWhatItsTrialSays", "SQL Server"},
		{"rotators/sqlserver TestAPlanChangesNothingAndLeavesNothingOut", "SQL Server: by the server's state and its log, a plan changes nothing and has all that is sent"},
		{"rotators/oracle TestAPlanChangesNothingAndLeavesNothingOut", "Oracle: by the server's state and its log, a plan changes nothing and has all that is sent"},
		{"rotators/redshift TestARotationDoesWhatItsTrialSays", "Redshift"},
		{"rotators/redis TestARotationDoesWhatItsTrialSays", "Redis and Valkey, at one node and at several"},
		{"rotators/oracle TestATrialAsksForWhatARotationNeeds", "Oracle: each privilege that is missing"},
		{"rotators/mysql TestAPlanChangesNothingAndLeavesNothingOut", "MySQL and MariaDB: the plan leaves the server as it was, and the server's own log then has what it told, and no more"},
		{"rotators/mysql TestARehearsalIsHeldToReading", "MariaDB refuses what a plan would change by mistake"},
		{"rotators/postgres TestRotationsGoOnFromWhatAWSsFunctionLeft", "PostgreSQL: from AWS's function to Rotor, and back"},
		{"rotators/mysql TestRotationsGoOnFromWhatAWSsFunctionLeft", "MySQL and MariaDB: the same"},
		{"rotators/documentdb TestRotationsGoOnFromWhatAWSsFunctionLeft", "MongoDB: the same"},
		{"rotators/postgres TestAPlanChangesNothingAndLeavesNothingOut", "PostgreSQL: by a dump and by the server's own log, a plan changes nothing and has all that is sent"},
		{"rotators/redshift TestAPlanChangesNothingAndLeavesNothingOut", "Redshift, the same"},
		{"rotators/documentdb TestAPlanChangesNothing", "MongoDB, by a dump, and DocumentDB: a plan is what the next rotation sends"},
		{"rotators/documentdb TestThePlanIsWhatArrives", "by the server's own log"},
		{"rotators/redis TestAPlanChangesNothing", "Redis and Valkey, by a dump of each node"},
		{"rotators/redis TestThePlanIsWhatArrives", "by what goes over each connection"},
	},
	not: `what changes between a trial and the rotation; a password that the server's policy refuses (MySQL, MariaDB); a setting that was stored and is
not valid any more (PostgreSQL). Engines of which no real server can be had: their trials are held to imitations.`,
}

var asDocumented = promise{
	title: "Queries and statements are what the vendor documents",
	text: `Of SQL Server, Oracle and Redshift no server can be had for tests. Their drivers' queries name documented views and columns alone, and an imitation
reads each query that it answers. make grammar has every statement read by parsers that others wrote: Microsoft's own for SQL Server, ANTLR's grammar and
sqlfluff for Oracle, sqlfluff and sqlglot for Redshift.`,
	evidence: []evidence{
		{"rotators/sqlserver TestEveryQueryNamesDocumentedColumnsAlone", "SQL Server"},
		{"rotators/sqlserver TestNamesOfDifferentCatalogsAreUnitedAndComparedInOneCollation", "SQL Server: error 451 and 468"},
		{"rotators/oracle TestEveryQueryNamesOnlyWhatTheReleaseHas", "Oracle, release by release"},
		{"rotators/redshift TestEveryQueryNamesDocumentedColumns", "Redshift"},
	},
	not: `that the server does what the manual says.`,
}

var localAsAWS = promise{
	title: "The local Secrets Manager answers as AWS's",
	text: `All operations are there, and what breaks a constraint of AWS's service model gets the error that the constraint calls for. docs/local.md says what is
as AWS, by which source, and what is not.`,
	evidence: []evidence{
		{"local TestBadInputsMadeFromTheServiceModelGetTheErrorThatTheirConstraintCallsFor", "3,342 inputs, for secrets that are there and that are not"},
		{"local TestRepliesAreThoseRecordedOfTheService", "84 conversations that others recorded of AWS"},
		{"local TestMemberNamesAreExactAndUnknownOnesAreIgnored", ""},
		{"local TestPermissionsAreAskedForTheSecretThatIsRead", "members that differ in the case of letters, or come twice"},
		{"local TestValidationErrorsQuoteNoSensitiveValue", ""},
		{"local TestResourcePoliciesAreCheckedAsTheServiceNamesItsChecks", ""},
		{"local TestAReplicaShowsThePrimaryAndIsReadOnly", ""},
		{"local FuzzRequest", "no request makes it panic or answer 5xx: its seeds"},
		{"local TestTheAWSCLIDoesAllOperations", "another maker's client"},
		{"local TestTerraformAppliesPlansNothingMoreAndDestroys", "where Terraform and its AWS provider are installed"},
	},
	not: `what AWS answers where neither its model, its documents nor a recording tells.`,
}

var holdsUnderLoad = promise{
	title: "It holds when many rotate at once",
	text:  `Nothing is left open, and nothing is lost under Secrets Manager's quotas. docs/benchmarks.md has the simulation of 10,000 secrets.`,
	evidence: slices.Concat([]evidence{
		{"scripts/scale TestNoSecretIsLost", "throttling, slow databases, outages and crashes, in a virtual hour"},
		{"rotators/documentdb TestClosedSessionsLeaveNoGoroutines", ""},
	}, functions("TestARotationThatIsCutOffLeavesNothingOpen", "connections and goroutines")),
	tables: []table{{"Warm rotations of one process after which the number of its connections and descriptors is what it was:", []column{{"nothing-stays-open/process", "rotations", "rotations"}}}},
	not:    `AWS's own throttling, and Lambda's.`,
}

var stateIsTold = promise{
	title: "State is told",
	text: `What fails no step is told as well: a rotation that has not ended, a function that was deleted, a schedule that is off, a certificate that ends. The
watcher's metrics are the states that rotor status tells, by the same code. What is not known is left out, and never 0.`,
	evidence: []evidence{
		{"internal/fleet TestEachStateIsToldFromTheList", "each state, and each way to it"},
		{"internal/watcher TestWhatIsKnownIsWrittenAndNothingElse", "each source refused, and logs that do not answer"},
		{"internal/watcher TestTheLogLeadsToTheSecret", ""},
		{"internal/watcher TestOnlyScheduledEventsAreTaken", "as a rotation function it fails at once"},
		{"cmd/rotor TestStatusOfAFleet", "the built function beside the command: 400 secrets, throttled, denied, searched for passwords"},
		{"deploy TestAlarmsOnStateEnd", "the template's alarms"},
		{"deploy TestTheWatcherIsMadeUnlessItIsOff", "its permissions"},
	},
	not: `that CloudWatch makes the metrics of the lines, and runs the query of the logs: both were compared with its manuals alone.`,
}
