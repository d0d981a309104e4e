// Package database rotates the passwords of database users. It turns a small
// [Driver] into a [rotation.Rotator] that follows one of three strategies.
//
// # How to write a driver
//
// Write a package with one variable, Driver, of type [Driver]: a description
// of the server as a struct value. Its Connect opens one verified connection,
// over the [Login]'s DialContext, and returns a [Conn]. That is enough for
// [SingleUser] and, if SetPassword can change another user's password,
// [SingleUserByAdministrator].
//
// For [AlternatingUsers], fill Cloning: its Connect returns an [Administrator],
// which makes one user the same as another, says what would stop it, and reads
// what a user may do.
//
// What to return when something fails:
//
//   - The server was reached and refused this user or password: [Refused].
//     It is the only error that leads to another password being tried.
//   - The server takes no password that was used before: [Reused].
//   - Anything else that you recognise: a [rotation.Fault] with the class that
//     fits. Keep one table of native error codes for this.
//   - The network's own errors (DNS, TCP, TLS), and those you do not recognise:
//     as they are. This package knows the first kind, and the second kind ends
//     the step.
//
// Mark nothing as transient that followed a refused login, never retry, never
// log, and put no statement and no password into an error.
//
// A driver is done when it passes databasetest.Run against a real server.
package database
