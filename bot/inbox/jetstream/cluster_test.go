//go:build unix

package jetstream_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
)

// runServer is one server of a cluster, in a process of its own.
func runServer(dir, number string, ports []string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	port := func(i int) int { p, _ := strconv.Atoi(ports[i]); return p }
	var routes []*url.URL
	for i := range 3 {
		routes = append(routes, &url.URL{Scheme: "nats", Host: "127.0.0.1:" + ports[3+i]})
	}
	ns, err := server.NewServer(&server.Options{
		ServerName: "node" + number, Host: "127.0.0.1", Port: port(n), JetStream: true, StoreDir: filepath.Join(dir, "node"+number), NoLog: true,
		Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port(3 + n)}, Routes: routes, NoSigs: true,
	})
	if err != nil {
		return err
	}
	ns.Start()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	ns.Shutdown()
	return nil
}

// program is this program started again, with variables that say as what.
func program(t *testing.T, variables ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), variables...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func end(cmd *exec.Cmd, signal os.Signal) {
	cmd.Process.Signal(signal)
	cmd.Wait()
}

// TestCluster runs three servers and two bots, kills one of each, holds up a
// second server until the others do without it, and counts.
func TestCluster(t *testing.T) {
	dir := t.TempDir()
	urls, nodes, node := startCluster(t)
	defer func() {
		for _, n := range nodes {
			end(n, syscall.SIGKILL)
		}
	}()

	addrs := []string{freeAddress(t), freeAddress(t)}
	start := func(i int) *exec.Cmd {
		return program(t, "TEST_BOT_DIR="+dir, "TEST_BOT_ADDR="+addrs[i], "TEST_BOT_NATS="+urls)
	}
	bots := []*exec.Cmd{start(0), start(1)}
	defer func() {
		for _, b := range bots {
			end(b, syscall.SIGKILL)
		}
	}()

	const chats = 8
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: chats}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	senders := []*sender{{url: "http://" + addrs[0] + "/webhook", client: client}, {url: "http://" + addrs[1] + "/webhook", client: client}}
	ctx, cancel := context.WithCancel(t.Context())
	sent := make([]int64, chats)
	var running sync.WaitGroup
	for i := range chats {
		// What one bot does not accept goes to the other, as behind a balancer.
		running.Go(func() { sent[i] = converse(ctx, int64(i+1), senders...) })
	}
	accepted := func() int64 { return senders[0].accepted.Load() + senders[1].accepted.Load() }
	more := func(n int64) {
		t.Helper()
		deadline := time.Now().Add(2 * time.Minute)
		for target := accepted() + n; accepted() < target; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("nothing was accepted for two minutes, after %d", accepted())
			}
		}
	}
	more(200)
	end(nodes[0], syscall.SIGKILL)
	more(200)
	end(bots[0], syscall.SIGKILL)
	more(200)
	nodes[0] = node(0)
	more(200)
	nodes[1].Process.Signal(syscall.SIGSTOP) // it is there, and nobody reaches it
	more(200)
	nodes[1].Process.Signal(syscall.SIGCONT)
	bots[0] = start(0)
	more(200)
	cancel()
	running.Wait()

	r := awaitRecord(t, dir, sent)
	t.Logf("a server and a bot killed, a server held up: %d updates answered 200, %d handled, %d lost, %d handled again, %d out of order",
		accepted(), len(r.first), r.lost, r.repeated, r.disorder)
	// What was at work when something died is handled again: a few for each.
	if r.lost > 0 || r.disorder > 0 || r.repeated > 4*chats {
		t.Error("updates were lost, out of order, or handled again too often")
	}
}

// startCluster starts three servers, and tells how to start one of them again.
func startCluster(t *testing.T) (urls string, nodes []*exec.Cmd, node func(int) *exec.Cmd) {
	t.Helper()
	for range 3 { // somebody else can take a port before a server does
		dir, ports := t.TempDir(), freePorts(t, 6)
		var list []string
		for _, port := range ports[:3] {
			list = append(list, "nats://127.0.0.1:"+port)
		}
		urls = strings.Join(list, ",")
		node = func(i int) *exec.Cmd {
			return program(t, "TEST_SERVER_DIR="+dir, fmt.Sprint("TEST_SERVER_NUMBER=", i), "TEST_SERVER_PORTS="+strings.Join(ports, ","))
		}
		nodes = []*exec.Cmd{node(0), node(1), node(2)}
		if formed(t, urls) {
			return urls, nodes, node
		}
		for _, n := range nodes {
			end(n, syscall.SIGKILL)
		}
	}
	t.Fatal("the servers do not make a cluster")
	return
}

// freePorts are ports that nobody listens at.
func freePorts(t *testing.T, n int) (ports []string) {
	t.Helper()
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() // not before all are there: each is another one
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	return ports
}

// formed waits until the servers have found each other.
func formed(t *testing.T, urls string) bool {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		conn, err := nats.Connect(urls)
		if err != nil {
			continue
		}
		js, err := natsjs.New(conn)
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err = js.CreateStream(ctx, natsjs.StreamConfig{Name: "probe", Subjects: []string{"probe"}, Replicas: 3})
			cancel()
		}
		conn.Close()
		if err == nil {
			return true
		}
	}
	return false
}
