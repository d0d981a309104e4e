package postgrestest

// The statements that begin and end transactions.

func parseBegin(p *parser) (action, error) {
	p.takeOne("work", "transaction")
	access := ""
	for !p.done() {
		switch {
		case p.take("read", "only"):
			access = "on"
		case p.take("read", "write"):
			access = "off"
		case p.take("isolation", "level", "serializable"), p.take("isolation", "level", "repeatable", "read"),
			p.take("isolation", "level", "read", "committed"), p.take("isolation", "level", "read", "uncommitted"):
		default:
			return nil, p.syntax()
		}
		p.take(",")
	}
	return func(s *wireSession) (string, error) {
		if s.tx.explicit {
			s.notice("WARNING", "25001", "there is already a transaction in progress")
		}
		s.tx.explicit = true
		if access == "" {
			return "BEGIN", nil
		}
		return "BEGIN", s.set(setClause{"transaction_read_only", &access}, true)
	}, nil
}

func parseCommit(p *parser) (action, error) {
	p.takeOne("work", "transaction")
	return func(s *wireSession) (string, error) {
		if !s.tx.explicit {
			s.notice("WARNING", "25P01", "there is no transaction in progress")
		}
		if s.tx.failed {
			s.rollback()
			return "ROLLBACK", nil
		}
		s.commit()
		return "COMMIT", nil
	}, nil
}

func parseRollback(p *parser) (action, error) {
	p.takeOne("work", "transaction")
	return func(s *wireSession) (string, error) {
		if !s.tx.explicit {
			s.notice("WARNING", "25P01", "there is no transaction in progress")
		}
		s.rollback()
		return "ROLLBACK", nil
	}, nil
}

func parseRollbackTo(p *parser) (action, error) {
	p.take("savepoint")
	return inTransaction(p, "ROLLBACK TO SAVEPOINT", "ROLLBACK", (*wireSession).rollbackTo)
}

func parseSavepoint(p *parser) (action, error) {
	save := func(s *wireSession, name string) error {
		s.save(name)
		return nil
	}
	return inTransaction(p, "SAVEPOINT", "SAVEPOINT", save)
}

func parseRelease(p *parser) (action, error) {
	p.take("savepoint")
	return inTransaction(p, "RELEASE SAVEPOINT", "RELEASE", (*wireSession).release)
}

// inTransaction reads the name of a savepoint, and does something with it between BEGIN and COMMIT only.
func inTransaction(p *parser, command, tag string, do func(s *wireSession, name string) error) (action, error) {
	name, err := p.name()
	return func(s *wireSession) (string, error) {
		if !s.tx.explicit {
			return "", raise("25P01", "%s can only be used in transaction blocks", command)
		}
		return tag, do(s, name)
	}, err
}
