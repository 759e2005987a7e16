package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

// runGateway serves until ctx ends.
func runGateway(ctx context.Context, args []string, out, problems io.Writer) int {
	flags := flag.NewFlagSet("demo gateway", flag.ContinueOnError)
	flags.SetOutput(problems)
	addr := flags.String("addr", "127.0.0.1:0", "where to listen; port 0 picks a free one")
	admin := flags.String("admin", "", "loopback address for the admin API (faults, journal, clock); empty: none")
	life := flags.Duration("life", 2*time.Hour, "how long the tokens live")
	page := flags.String("page", "", "loopback address for a page on which the official browser SDK meets a bot in a room; empty: none")
	sdk := flags.String("sdk", officialSDK, "with -page: the official SDK's bundle for browsers")
	flags.Usage = func() {
		_, _ = fmt.Fprint(problems, "demo gateway runs the embedded gateway alone, in plain HTTP, until interrupted.\n"+
			"It prints a token and how to use it. With -page it uses TLS and prints what to open.\n\n")
		flags.PrintDefaults()
	}
	if status, done := parse(flags, args); done {
		return status
	}
	gw, err := sessiontest.Start(sessiontest.Options{Addr: *addr, AdminAddr: *admin, TokenTTL: *life, TLS: *page != ""})
	if err != nil {
		_, _ = fmt.Fprintln(problems, "demo gateway:", err)
		return exitFailed
	}
	defer gw.Close()
	if *page != "" {
		err = runLobby(ctx, gw, *page, *sdk, out)
	} else {
		introduce(out, gw)
		<-ctx.Done()
	}
	if err != nil {
		_, _ = fmt.Fprintln(problems, "demo gateway:", err)
		return exitFailed
	}
	_, _ = fmt.Fprintln(out, "\ngateway closed")
	return exitSeen
}

// introduce prints all that somebody needs to use gw, a token included.
func introduce(out io.Writer, gw *sessiontest.Server) {
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: ann, DisplayName: "Ann"})
	project, apiToken := gw.Project()
	_, _ = fmt.Fprintf(out, introduction,
		gw.APIURL(), gw.RelayURL(), sat.Token, sat.ExpiresAt.Format(time.RFC3339),
		gw.APIURL(), project, apiToken, gw.APIURL(), gw.APIURL(), gw.RelayURL())
	if gw.AdminURL() != "" {
		_, _ = fmt.Fprintf(out, adminIntroduction, gw.AdminURL(), gw.AdminURL(), gw.AdminURL())
	}
	_, _ = fmt.Fprintln(out, "\nInterrupt to stop.")
}

const introduction = `REST       %s
WebSocket  %s

Ann's token, valid until the gateway stops or it expires:

TOKEN=%s
# expires %s

Who is she?

curl -H "Authorization: Bearer $TOKEN" %s/api/fabric/subscriber/info

A token for somebody else:

curl -u %s:%s -H 'Content-Type: application/json' \
  -d '{"reference":"bob@example.org"}' %s/api/fabric/subscribers/tokens

A client in Go, with TOKEN exported:

package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/callrx/callrx/session"
)

func main() {
	client, err := session.Open(context.Background(),
		session.StaticCredentials(session.Credential{Token: os.Getenv("TOKEN")}),
		session.Options{APIURL: "%s", RelayURL: "%s"})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(client.User().DisplayName, client.Status(), "registered:", client.Registered())
}
`

const adminIntroduction = `
Make things go wrong, and look at what happened:

curl -d '{"match":{"path":"/api/fabric/subscriber/info"},"times":2,"action":{"kind":"status","status":500}}' %s/faults
curl %s/journal
curl -X POST %s/sessions/ann@example.org/drop
`
