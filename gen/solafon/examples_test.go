package solafon_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/solafon/solafon-go/gen/solafon"
	"github.com/solafon/solafon-go/spec"
)

// documented is an example of the document, found through it.
type documented struct {
	name string
	data []byte
}

func examplesOf(t *testing.T, content openapi3.Content) []documented {
	t.Helper()
	var list []documented
	for _, media := range content {
		for name, example := range media.Examples {
			data, err := spec.Files.ReadFile(example.Value.ExternalValue)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, documented{name, data})
		}
	}
	return list
}

func loadSpec(t *testing.T) *openapi3.T {
	t.Helper()
	data, err := spec.Files.ReadFile(spec.Document)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestDocumentedCalls makes every call of the document with every example of
// its request, lets a server answer with every example of its answers, and
// compares what is on the wire and what is returned with the examples.
func TestDocumentedCalls(t *testing.T) {
	requests, answers := 0, 0
	for path, item := range loadSpec(t).Paths.Map() {
		for method, op := range item.Operations() {
			t.Run(op.OperationID, func(t *testing.T) {
				bodies := []documented{{}}
				if op.RequestBody != nil {
					bodies = examplesOf(t, op.RequestBody.Value.Content)
				}
				succeeded := false
				for status, response := range op.Responses.Map() {
					for _, answer := range examplesOf(t, response.Value.Content) {
						for _, body := range bodies {
							call(t, op.OperationID, method, path, status, body.data, answer.data)
							requests++
						}
						answers++
						succeeded = succeeded || status[0] == '2'
					}
				}
				if !succeeded || len(bodies) == 0 {
					t.Errorf("%s lacks an example of its request or of success", op.OperationID)
				}
			})
		}
	}
	t.Logf("%d calls, %d answers", requests, answers)
}

func call(t *testing.T, id, method, path, status string, body, answer []byte) {
	t.Helper()
	code, err := strconv.Atoi(status)
	if err != nil {
		t.Fatal(err)
	}
	var sent []byte
	c := served(t, func(w http.ResponseWriter, r *http.Request) {
		if want := strings.NewReplacer("{app_id}", "7", "{command_id}", "8").Replace(path); r.Method != method || r.URL.Path != want {
			t.Errorf("%s went to %s %s", id, r.Method, r.URL.Path)
		}
		sent, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		w.Write(answer)
	})
	fn := reflect.ValueOf(c).MethodByName(strings.ToUpper(id[:1]) + id[1:])
	args := []reflect.Value{reflect.ValueOf(context.Background())}
	for i := 1; i < fn.Type().NumIn(); i++ {
		arg := reflect.New(fn.Type().In(i))
		if arg.Elem().Kind() == reflect.Int64 {
			arg.Elem().SetInt(int64(6 + i))
		} else if err := json.Unmarshal(body, arg.Interface()); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		args = append(args, arg.Elem())
	}
	results := fn.Call(args)
	err, _ = results[len(results)-1].Interface().(error)
	if (code/100 == 2) != (err == nil) {
		t.Fatalf("%s answered %d %s: %v", id, code, answer, err)
	}
	if body != nil {
		sameJSON(t, body, sent, nil)
	}
	if err == nil && len(results) == 2 {
		returned, err := revealed(results[0].Interface())
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, inner(t, id, answer), returned, normalize)
	}
}

// revealed is a result as JSON, with its secrets.
func revealed(result any) ([]byte, error) {
	if r, ok := result.(interface{ RevealJSON() ([]byte, error) }); ok {
		return r.RevealJSON()
	}
	return json.Marshal(result)
}

// inner takes off what is around a result.
func inner(t *testing.T, id string, answer []byte) []byte {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(answer, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"result", "command", "commands"} {
		if name == "commands" && id == "getAppSettings" {
			continue
		}
		if member, ok := members[name]; ok {
			return member
		}
	}
	return answer
}

// normalize makes an example what it is once decoded: lists for null, updates
// flat, and no member that says no more than its absence.
func normalize(v any) any {
	switch v := v.(type) {
	case nil:
		return []any{}
	case []any:
		for i := range v {
			v[i] = normalize(v[i])
		}
	case map[string]any:
		if message, ok := v["message"].(map[string]any); ok {
			message["update_id"] = v["update_id"]
			return message
		}
		if v["from"] != nil && v["update_id"] == nil {
			v["update_id"] = v["message_id"]
		}
		for name, member := range v {
			if zero := member == false || member == "" || member == 0.0; zero && !slices.Contains([]string{"url", "has_custom_certificate", "pending_update_count", "statusCode", "id"}, name) {
				delete(v, name)
			} else if member != nil {
				v[name] = normalize(member)
			}
		}
	}
	return v
}

func sameJSON(t *testing.T, want, got []byte, change func(any) any) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if change != nil {
		w, g = change(w), change(g)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDocumentedDeliveries decodes every example of a delivery, through the
// handler and both decoders, and encodes it again.
func TestDocumentedDeliveries(t *testing.T) {
	for name, item := range loadSpec(t).Webhooks {
		examples := examplesOf(t, item.Post.RequestBody.Value.Content)
		if len(examples) < 4 {
			t.Errorf("the webhook %s has %d examples", name, len(examples))
		}
		for _, example := range examples {
			t.Run(example.name, func(t *testing.T) {
				want, err := solafon.DecodeUpdate(example.data)
				if err != nil {
					t.Fatal(err)
				}
				var received solafon.Update
				h := solafon.NewWebhookHandler(func(_ context.Context, u solafon.Update) error { received = u; return nil })
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(string(example.data))))
				if diff := cmp.Diff(want, received); diff != "" || w.Code != 200 {
					t.Errorf("%d: %s", w.Code, diff)
				}
				inPlace, err := solafon.DecodeUpdateInPlace(slices.Clone(example.data))
				if diff := cmp.Diff(want, inPlace, ignoreRaw); diff != "" || err != nil {
					t.Errorf("%v: %s", err, diff)
				}
				encoded, err := want.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				sameJSON(t, example.data, encoded, normalize)
			})
		}
	}
}
