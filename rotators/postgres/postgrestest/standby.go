package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
)

// startStandby starts a server on a base backup of another's data.
func (i installation) startStandby(primary *Server, folder string, config Config, ca *localtls.CA) (*Server, error) {
	p := servertest.Program{Fill: func(to string) error { return baseBackup(primary, folder, to) }}
	s, err := i.run(p, config, ca, primary.AdminPassword)
	if err != nil {
		return nil, err
	}
	s.Title += ", standby"
	return s, nil
}

// baseBackup copies the data of a running server, by "Making a Base Backup Using the Low Level API" of PostgreSQL's
// manual, section 25.3.4. (The packages that make servers unpacks have no pg_basebackup.)
func baseBackup(primary *Server, from, to string) error {
	ctx := context.Background()
	conn, err := primary.Admin(ctx, "")
	if err != nil {
		return fmt.Errorf("logging in to the primary: %w", err)
	}
	defer conn.Close(ctx)
	source, target := filepath.Join(from, "data"), filepath.Join(to, "data")
	// The files of the running process stay where they are.
	notWAL := func(path string) bool {
		return !strings.HasPrefix(path, "pg_wal") && !strings.HasPrefix(path, "postmaster.")
	}
	isWAL := func(path string) bool { return strings.HasPrefix(path, "pg_wal") }

	if _, err := conn.Exec(ctx, "SELECT pg_backup_start('standby', true)"); err != nil {
		return fmt.Errorf("starting the backup: %w", err)
	}
	if err := servertest.CopyTree(source, target, notWAL); err != nil {
		return err
	}
	label, err := stopBackup(ctx, conn)
	if err != nil {
		return err
	}
	return errors.Join(
		servertest.CopyTree(source, target, isWAL),
		servertest.WriteFile(target, "backup_label", label),
		servertest.WriteFile(target, "standby.signal", ""),
	)
}

// stopBackup ends the backup mode and returns the content of the file backup_label.
func stopBackup(ctx context.Context, conn *pgx.Conn) (label string, err error) {
	err = conn.QueryRow(ctx, "SELECT labelfile FROM pg_backup_stop(false)").Scan(&label)
	if err != nil {
		return "", fmt.Errorf("stopping the backup: %w", err)
	}
	return label, nil
}
