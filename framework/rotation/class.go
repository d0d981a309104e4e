package rotation

// A Class says what kind of failure a step ended with. It is the error type
// that the Lambda function reports, so that alarms can tell classes apart.
type Class string

// Prefix begins the name of each class.
const Prefix = "Rotation."

// The classes.
const (
	BadEvent           Class = "Rotation.BadEvent"
	BadConfig          Class = "Rotation.BadConfig"
	BadSecret          Class = "Rotation.BadSecret"
	NotReady           Class = "Rotation.NotReady"
	AccessDenied       Class = "Rotation.AccessDenied"
	Throttled          Class = "Rotation.Throttled"
	StoreUnavailable   Class = "Rotation.StoreUnavailable"
	DNS                Class = "Rotation.DNS"
	Unreachable        Class = "Rotation.Unreachable"
	TLS                Class = "Rotation.TLS"
	LoginRefused       Class = "Rotation.LoginRefused"
	NewPasswordRefused Class = "Rotation.NewPasswordRefused"
	AccountLocked      Class = "Rotation.AccountLocked"
	PasswordExpired    Class = "Rotation.PasswordExpired"
	PasswordRejected   Class = "Rotation.PasswordRejected"
	MissingPrivilege   Class = "Rotation.MissingPrivilege"
	FewerRights        Class = "Rotation.FewerRights"
	MoreRights         Class = "Rotation.MoreRights"
	NotItsTwin         Class = "Rotation.NotItsTwin"
	ReadOnly           Class = "Rotation.ReadOnly"
	NoDatabase         Class = "Rotation.NoDatabase"
	NoUser             Class = "Rotation.NoUser"
	TooManyConnections Class = "Rotation.TooManyConnections"
	Unavailable        Class = "Rotation.Unavailable"
	Unsupported        Class = "Rotation.Unsupported"
	Timeout            Class = "Rotation.Timeout"
	Panic              Class = "Rotation.Panic"
	Unknown            Class = "Rotation.Unknown"
)

// remedies say what to do about a class when the place that met the failure
// knows no better.
var remedies = map[Class]string{
	BadEvent:           `Let Secrets Manager call this function, or send it an event like {"Step": "testSecret", "SecretId": "the secret's ARN", "ClientRequestToken": "the version that is AWSPENDING"}.`,
	BadConfig:          "Correct the function's environment variable and deploy it again, then rotate again.",
	BadSecret:          "Correct the secret's JSON, then rotate it again.",
	NotReady:           "Do not call the function by itself: start the rotation with RotateSecret.",
	AccessDenied:       "Give the function's role the permission that the message names, on this secret and on its KMS key, then rotate again.",
	Throttled:          "Nothing is lost: Secrets Manager tries again. Spread the rotation schedules if it happens often.",
	StoreUnavailable:   "Check that the function reaches Secrets Manager: in a VPC it needs an endpoint for it, and that endpoint's security group must let the function in. SECRETS_MANAGER_ENDPOINT, if it is set, must be that endpoint's URL. Then rotate again.",
	DNS:                "Check the secret's host, and that the function's subnets can resolve it, then rotate again.",
	Unreachable:        "Check that the server runs, the secret's host and port, and that the security groups let the function reach them, then rotate again.",
	TLS:                "Check the server's TLS settings and certificate; CA_BUNDLE adds certificate authorities to trust. Then rotate again.",
	LoginRefused:       "Put a password that works into the secret's AWSCURRENT version, then rotate it again.",
	NewPasswordRefused: "Find out why the server refuses a password that it has just taken: rules for logins, or a pooler that keeps passwords of its own (point the secret's host and port at the server itself). Then rotate again.",
	AccountLocked:      "Unlock the account in the database, then rotate again.",
	PasswordExpired:    "Extend the password's validity in the database, then rotate again.",
	PasswordRejected:   "Adapt PASSWORD_LENGTH, EXCLUDE_CHARACTERS and the other password settings to the server's policy, then cancel the pending rotation and rotate again: the pending password stays as it is until then.",
	MissingPrivilege:   "Grant the privilege that the message names, then rotate again.",
	FewerRights:        "Grant the original user the rights that the message names, or revoke them from the clone, then rotate again.",
	MoreRights:         "Take from the clone what the message names, or give it to the original too: what setSecret noted in the log says how. Then rotate again.",
	NotItsTwin:         "Let CLONE_ADOPT name the user if it is this secret's, or remove it from the database, then rotate again.",
	ReadOnly:           "Point the secret's host at the writer: a replica cannot change a password. Then rotate again.",
	NoDatabase:         "Correct the secret's dbname, then rotate again.",
	NoUser:             "Correct the secret's username, or create the user in the database, then rotate again.",
	TooManyConnections: "Free connections on the server, or raise its limit or the user's, then rotate again.",
	Unavailable:        "Wait until the server is up; Secrets Manager tries again.",
	Unsupported:        "Use a version of the server that README names for this engine, then rotate again.",
	Timeout:            "Raise the function's time-out if the server is only slow; look at what keeps it busy. Then rotate again.",
	Panic:              "This is a defect: report it with the log lines above.",
	Unknown:            "Rotor has no class for this: report it with the log lines above. Secrets Manager tries again by itself.",
}

// Classes are all classes with their remedies. The map is the caller's.
func Classes() map[Class]string {
	all := make(map[Class]string, len(remedies))
	for c, r := range remedies {
		all[c] = r
	}
	return all
}

// Remedy says what to do about the class when nothing more is known.
func (c Class) Remedy() string { return remedies[c] }
