package solafon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/solafon/solafon-go/gen/solafon"
)

// rendered is a value in every way in which programs print values.
func rendered(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	if data, err := json.Marshal(v); err == nil {
		b.Write(data)
	}
	return b.String()
}

// noSecrets looks for the tests' credentials in an error and in all that it
// wraps.
func noSecrets(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		text := rendered(err)
		var e *solafon.Error
		if errors.As(err, &e) {
			text += string(e.Body)
		}
		for _, secret := range []string{testToken, testJWT} {
			if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("a secret is in %q", text)
			}
		}
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	secret := solafon.NewSecret("a-secret-of-the-test")
	type holder struct {
		Shown  solafon.Secret
		hidden solafon.Secret
	}
	client, err := solafon.NewClient("a-secret-of-the-test", solafon.WithUserJWT("a-secret-of-the-test"))
	if err != nil {
		t.Fatal(err)
	}
	settings := solafon.AppSettings{App: solafon.App{ID: 7, APIToken: secret}}
	for name, v := range map[string]any{
		"secret": secret, "pointer": &secret, "holder": holder{secret, secret}, "list": []solafon.Secret{secret},
		"map": map[solafon.Secret]solafon.Secret{secret: secret}, "client": client, "client's value": *client,
		"inside": struct{ c solafon.Client }{*client}, "settings": settings, "settings' pointer": &settings,
		"token": solafon.RegeneratedToken{APIToken: secret},
	} {
		text := rendered(v)
		if strings.Contains(text, "a-secret-of-the-test") || strings.Contains(text, fmt.Sprintf("%x", "a-secret-of-the-test")) {
			t.Errorf("%s prints as %s", name, text)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %q", secret, secret, secret, secret, secret); got != strings.TrimSpace(strings.Repeat("[redacted] ", 5)) {
		t.Error(got)
	}
	if secret.Reveal() != "a-secret-of-the-test" || secret != solafon.NewSecret("a-secret-of-the-test") || (solafon.Secret{}).Reveal() != "" {
		t.Error("a secret does not hold its text")
	}
	shown, err := settings.RevealJSON()
	if err != nil || !strings.Contains(string(shown), `"apiToken":"a-secret-of-the-test"`) {
		t.Errorf("%s, %v", shown, err)
	}
	var again solafon.AppSettings
	if err := json.Unmarshal(shown, &again); err != nil || again.App.APIToken != secret {
		t.Errorf("%v, %v", again.App.APIToken.Reveal(), err)
	}
}

// TestPanicPrintsNoSecret lets a process die with a secret in its hands.
func TestPanicPrintsNoSecret(t *testing.T) {
	if os.Getenv("SOLAFON_TEST_PANIC") != "" {
		client, err := solafon.NewClient("a-secret-of-the-test")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { panic(solafon.NewSecret("a-secret-of-the-test")) }()
		panic(struct {
			c *solafon.Client
			s solafon.Secret
			v solafon.Client
		}{client, solafon.NewSecret("a-secret-of-the-test"), *client})
	}
	child := exec.Command(os.Args[0], "-test.run=^TestPanicPrintsNoSecret$")
	child.Env = append(os.Environ(), "SOLAFON_TEST_PANIC=1", "GOTRACEBACK=all")
	out, err := child.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic:")) || bytes.Contains(out, []byte("a-secret-of-the-test")) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestEchoedSecretsAreMasked answers in ways that repeat the credential.
func TestEchoedSecretsAreMasked(t *testing.T) {
	long := strings.Repeat("x", 4<<10-6) // the limit of Error.Body cuts the credential in two
	for name, body := range map[string]string{
		"plain": "you sent %s", "HTML": "<pre>Authorization: Bearer %s</pre>", "refusal": `{"ok":false,"error_code":400,"description":"bad token %s"}`,
		"success": `{"ok":true,"result":{"%s":`, "result": `{"ok":true,"result":"%s"}`, "member": `{"ok":true,"result":{"id":1,"%[1]s":{"%[1]s":[}}}`,
		"cut": long + "%s", "half": `%s`, "many": strings.Repeat("%[1]s", 1000), "long": `{"ok":false,"description":"` + strings.Repeat("x%[1]s", 1000) + `"}`,
	} {
		for _, status := range []int{200, 400, 401, 502} {
			c := served(t, func(w http.ResponseWriter, r *http.Request) {
				_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
				w.Header().Set("Location", "/"+token)
				w.WriteHeader(status)
				fmt.Fprintf(w, body, token)
			})
			_, err := c.GetMe(context.Background())
			if err == nil {
				t.Fatalf("%s at %d succeeded", name, status)
			}
			noSecrets(t, err)
			var e *solafon.Error
			if errors.As(err, &e); strings.Contains(string(e.Body)+e.Error(), testToken[:6]) || len(e.Error()) > 2000 {
				t.Errorf("%s at %d keeps a part of the credential: …%s", name, status, e.Body[max(0, len(e.Body)-40):])
			}
			_, err = c.GetAppSettings(context.Background(), 7)
			noSecrets(t, err)
		}
	}
	// A doer whose error repeats the request stays reachable all the same.
	c, err := solafon.NewClient(testToken, once, solafon.WithHTTPClient(doerFunc(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("cannot send %v: %w", r.Header, io.ErrUnexpectedEOF)
	})))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetMe(context.Background())
	if noSecrets(t, err); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// TestOutputHasNoSecret runs the package's other tests and looks for the
// credentials that they use in what they print.
func TestOutputHasNoSecret(t *testing.T) {
	if os.Getenv("SOLAFON_TEST_OUTPUT") != "" {
		t.Skip("this is the run whose output is looked at")
	}
	child := exec.Command(os.Args[0], "-test.v")
	child.Env = append(os.Environ(), "SOLAFON_TEST_OUTPUT=1")
	out, err := child.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("TestFaults")) {
		t.Errorf("%v: %s", err, out[max(0, len(out)-2000):])
	}
	for _, secret := range []string{testToken, testJWT} {
		if bytes.Contains(out, []byte(secret)) {
			t.Errorf("a test prints %s", secret)
		}
	}
}
