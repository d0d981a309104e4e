package serve

// Version is Rotor's, by semantic versioning. It is in a function's first log line,
// in its metrics and in the user agent of its calls to Secrets Manager, "rotor-0.2.0".
const Version = "0.2.0"
