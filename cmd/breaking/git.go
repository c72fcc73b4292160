package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// git runs git and returns what it prints.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return out, nil
}

// lastTag is the last tag before the repository's head, or empty.
func lastTag(ctx context.Context, dir string) (string, error) {
	tags, err := git(ctx, dir, "tag", "--merged", "HEAD", "--sort=-creatordate", "--sort=-version:refname")
	if err != nil {
		return "", err
	}
	tag, _, _ := strings.Cut(string(tags), "\n")
	return tag, nil
}

// export writes what is compared, as a revision has it, below a folder.
func export(ctx context.Context, dir, revision, to string) error {
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return fmt.Errorf("there is no revision %q: name a tag, a branch or a commit", revision)
	}
	archive, err := git(ctx, dir, "archive", "--format=tar", strings.TrimSpace(string(commit)))
	if err != nil {
		return err
	}
	for files := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg || !filepath.IsLocal(header.Name) {
			continue
		}
		target := filepath.Join(to, filepath.FromSlash(header.Name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		data, err := io.ReadAll(files)
		if err != nil {
			return err
		}
		if err := os.WriteFile(target, data, 0o644); err != nil {
			return err
		}
	}
}
