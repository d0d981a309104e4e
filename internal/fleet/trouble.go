package fleet

// A Trouble is what a function's log says of a secret's last failure.
type Trouble struct{ Class, Cause, Remedy, Step string }
