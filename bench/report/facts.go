package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Facts are about the machine that measured.
type Facts struct {
	Processor, System, Go string
	Cores                 int
	When                  time.Time
}

// ReadFacts asks the machine.
func ReadFacts() Facts {
	f := Facts{Processor: runtime.GOARCH, System: runtime.GOOS, Go: runtime.Version(), Cores: runtime.NumCPU(), When: time.Now().UTC()}
	if name, ok := field("/proc/cpuinfo", "model name"); ok {
		f.Processor = name
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		f.System += " " + strings.TrimSpace(string(release))
	}
	return f
}

func field(file, name string) (string, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// String says it in one line.
func (f Facts) String() string {
	return fmt.Sprintf("%s, %d cores, %s, %s, on %s", f.Processor, f.Cores, f.System, f.Go, f.When.Format("2 January 2006"))
}
