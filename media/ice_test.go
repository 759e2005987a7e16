package media_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/callrx/callrx/media"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestICEServerNeverShowsItsCredential(t *testing.T) {
	s := media.ICEServer{URLs: []string{"turn:turn.example.com"}, Username: "u", Credential: "hush"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "server", s)
	texts := []string{log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		texts = append(texts, fmt.Sprintf(verb, s), fmt.Sprintf(verb, []media.ICEServer{s}))
	}
	for _, text := range texts {
		if strings.Contains(text, "hush") || !strings.Contains(text, "turn:turn.example.com") {
			t.Errorf("printed as %q", text)
		}
	}
}

func ExampleICEServer() {
	fmt.Println(media.ICEServer{URLs: []string{"turn:turn.example.com:443?transport=tcp"}, Username: "ann", Credential: "secret"})
	fmt.Println(media.ICEServer{URLs: []string{"stun:stun.example.com"}})
	// Output:
	// turn:turn.example.com:443?transport=tcp (with credential)
	// stun:stun.example.com
}
