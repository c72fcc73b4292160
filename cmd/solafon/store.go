package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver, in Go alone

	"github.com/solafon/solafon-go/bot/bottest"
)

// store keeps a local platform's state in a folder. Every change is written as it
// happens, each in a transaction of its own.
type store struct{ db *sql.DB }

// storeVersion is the form of the state that this program writes and reads.
const storeVersion = 1

// keptDeliveries is how many deliveries outlive a restart: as many as the platform
// remembers.
const keptDeliveries = 1000

// openStore opens a folder's state, or makes it.
func openStore(dir string) (*store, bottest.State, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, bottest.State{}, fmt.Errorf("--state: the folder cannot be made: %w; name another", err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "state.db")+"?_pragma=busy_timeout(2000)&_pragma=journal_mode(wal)&_txlock=immediate")
	if err != nil {
		return nil, bottest.State{}, err
	}
	db.SetMaxOpenConns(1)
	s := &store{db}
	state, err := s.load()
	if err != nil {
		return nil, state, errors.Join(fmt.Errorf("--state: %s: %w", dir, err), db.Close())
	}
	return s, state, nil
}

func (s *store) load() (state bottest.State, err error) {
	var version int
	if err := s.db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return state, fmt.Errorf("it cannot be read: %w; name another folder", err)
	}
	if version > storeVersion {
		return state, fmt.Errorf("a newer solafon wrote it (form %d, this one knows %d): update solafon, or name another folder", version, storeVersion)
	}
	if _, err := s.db.Exec(fmt.Sprintf("CREATE TABLE IF NOT EXISTS entry (kind TEXT, id INTEGER, data TEXT, PRIMARY KEY (kind, id)); PRAGMA user_version = %d", storeVersion)); err != nil {
		return state, fmt.Errorf("it cannot be written to: %w; name another folder", err)
	}
	if _, err := s.db.Exec("DELETE FROM entry WHERE kind = 'delivery' AND id <= (SELECT id FROM entry WHERE kind = 'delivery' ORDER BY id DESC LIMIT 1 OFFSET ?)", keptDeliveries); err != nil {
		return state, err
	}
	rows, err := s.db.Query("SELECT kind, data FROM entry ORDER BY kind, id")
	if err != nil {
		return state, err
	}
	defer rows.Close()
	for rows.Next() {
		var kind, data string
		if err := rows.Scan(&kind, &data); err != nil {
			return state, err
		}
		var err error
		switch kind {
		case "profile":
			state.Profiles, err = more(state.Profiles, data)
		case "message":
			state.Messages, err = more(state.Messages, data)
		case "delivery":
			state.Deliveries, err = more(state.Deliveries, data)
		case "settings":
			err = json.Unmarshal([]byte(data), &state.Settings)
		}
		if err != nil {
			return state, fmt.Errorf("a %s in it cannot be read: %w; name another folder", kind, err)
		}
	}
	return state, rows.Err()
}

func more[T any](list []T, data string) ([]T, error) {
	var one T
	err := json.Unmarshal([]byte(data), &one)
	return append(list, one), err
}

// keep writes a change down.
func (s *store) keep(c bottest.Change) error {
	switch {
	case c.Profile != nil:
		return s.put("profile", c.Profile.ID, c.Profile)
	case c.Message != nil:
		return s.put("message", c.Message.ID, c.Message)
	case c.Delivery != nil:
		return s.put("delivery", c.Delivery.ID, c.Delivery)
	case c.Settings != nil:
		return s.put("settings", 0, c.Settings)
	}
	return nil
}

func (s *store) put(kind string, id int64, value any) error {
	data, err := json.Marshal(value)
	if err == nil {
		_, err = s.db.Exec("INSERT OR REPLACE INTO entry (kind, id, data) VALUES (?, ?, ?)", kind, id, string(data))
	}
	return err
}

// Close closes the folder.
func (s *store) Close() error { return s.db.Close() }
