package sessiontest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callrx/callrx/session/sessiontest"
)

const (
	pathInfo      = "/api/fabric/subscriber/info"
	pathSAT       = "/api/fabric/subscribers/tokens"
	pathRenew     = "/api/fabric/subscribers/tokens/refresh"
	pathGuests    = "/api/fabric/guests/tokens"
	pathInvites   = "/api/fabric/subscriber/invites"
	pathAddresses = "/api/fabric/addresses"
)

// errorCode returns code and attribute of the first item of a validation error.
func errorCode(a httpAnswer) string {
	items, _ := a.JSON["errors"].([]any)
	if a.Status != 422 || len(items) == 0 {
		return ""
	}
	code, _ := dig(items[0], "code").(string)
	attribute, _ := dig(items[0], "attribute").(string)
	return code + " " + attribute
}

func TestSubscriberInfoReflectsToken(t *testing.T) {
	gw := sessiontest.NewServer(t)
	plain := gw.IssueSAT(sessiontest.SATRequest{Reference: "mara@example.org", DisplayName: "Mara"})
	a := call(t, gw, "GET", pathInfo, bearer(plain.Token), nil)
	if a.JSON["email"] != "mara@example.org" || a.JSON["display_name"] != "Mara" || a.JSON["sat_claims"] != nil {
		t.Errorf("plain SAT: %s", a.Body)
	}
	addresses, _ := a.JSON["fabric_addresses"].([]any)
	if len(addresses) != 1 || dig(addresses[0], "id") != plain.AddressID ||
		dig(addresses[0], "channels", "messaging") != "/private/mara?channel=messaging" {
		t.Errorf("addresses: %v", addresses)
	}
	key := newProofKey(t, 0)
	bound := bind(t, gw, key, refreshable(gw, "").Token)
	a = call(t, gw, "GET", pathInfo, bearer(bound["token"].(string)), nil)
	want := obj{"scope": []any{"sat:refresh"}, "cnf": obj{"jkt": key.Thumbprint}, "expires_at": bound["expires_at"]}
	if diff := cmp.Diff(want, a.JSON["sat_claims"]); diff != "" {
		t.Errorf("claims of a bound token (-want +got):\n%s", diff)
	}
}

func TestBearerEndpointsTellTokensApart(t *testing.T) {
	gw := sessiontest.NewServer(t)
	gw.AddEmbed("c2c_1")
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	embed := call(t, gw, "POST", "/api/fabric/embeds/tokens", nil, obj{"token": "c2c_1"})
	tokens := map[string]string{
		"sat": sat.Token, "guest": gw.IssueGuest(0, sat.AddressID).Token, "invite": gw.IssueInvite(0, sat.AddressID).Token,
		"embed": embed.JSON["token"].(string), "refresh": sat.RefreshToken, "none": "", "garbage": "a.b.c.d.e",
		"expired": gw.IssueSAT(sessiontest.SATRequest{TTL: -time.Second}).Token,
	}
	for _, c := range []struct {
		method, path string
		admits       []string
	}{
		{"GET", pathInfo, []string{"sat", "guest", "invite", "embed"}},
		{"GET", pathAddresses, []string{"sat", "guest", "invite", "embed"}},
		{"POST", pathInvites, []string{"sat"}},
		{"POST", pathBind, []string{"sat"}},
	} {
		for kind, token := range tokens {
			a := call(t, gw, c.method, c.path, bearer(token), obj{})
			if admitted := a.Status != 401; admitted != slices.Contains(c.admits, kind) {
				t.Errorf("%s with %s token: %d", c.path, kind, a.Status)
			}
			if a.Status == 401 && a.JSON["error"] != "Unauthorized" {
				t.Errorf("body of a 401: %s", a.Body)
			}
		}
	}
}

func TestBasicEndpointsWantProject(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{ProjectID: "p", ProjectToken: "a:b"})
	for name, c := range map[string]struct {
		id, token string
		status    int
	}{
		"good": {"p", "a:b", 200}, "token": {"p", "a", 401}, "id": {"q", "a:b", 401}, "empty": {"", "", 401},
	} {
		auth := func(r *http.Request) { r.SetBasicAuth(c.id, c.token) }
		if a := call(t, gw, "POST", pathSAT, auth, obj{"reference": "x"}); a.Status != c.status {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
	if a := call(t, gw, "POST", pathSAT, nil, obj{"reference": "x"}); a.Status != 401 {
		t.Errorf("no credentials: %d", a.Status)
	}
}

func TestBackendMintsSAT(t *testing.T) {
	bubble(t, sessiontest.Options{}, func(t *testing.T, gw *sessiontest.Server) {
		print := strings.Repeat("A", 43)
		at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
		for name, c := range map[string]struct {
			body obj
			life time.Duration
		}{
			"default":        {obj{}, 2 * time.Hour},
			"asked":          {obj{"expire_at": at(10 * time.Minute)}, 10 * time.Minute},
			"scope alone":    {obj{"scope": "sat:refresh", "expire_at": at(time.Hour)}, time.Minute},
			"scope list":     {obj{"scope": []string{"sat:refresh"}}, time.Minute},
			"scope, shorter": {obj{"scope": "sat:refresh", "expire_at": at(20 * time.Second)}, 20 * time.Second},
			"scope and key":  {obj{"scope": "sat:refresh", "fingerprint": print, "expire_at": at(time.Hour)}, time.Hour},
		} {
			c.body["reference"] = "mara"
			a := call(t, gw, "POST", pathSAT, project(gw), c.body)
			if a.Status != 200 || a.JSON["subscriber_id"] == "" || a.JSON["refresh_token"] == "" {
				t.Fatalf("%s: %d %s", name, a.Status, a.Body)
			}
			k := dialWS(t, gw)
			extra := obj{}
			if c.body["fingerprint"] != nil {
				continue // no key has this thumbprint
			}
			f := k.connect(a.JSON["token"].(string), extra)
			got, _ := dig(f, "result", "authorization", "fabric_subscriber", "expires_at").(float64)
			if want := at(c.life); int64(got) != want {
				t.Errorf("%s: expires at %v, want %v", name, got, want)
			}
		}
	})
}

func TestSameReferenceIsSameSubscriber(t *testing.T) {
	gw := sessiontest.NewServer(t)
	one := call(t, gw, "POST", pathSAT, project(gw), obj{"reference": "mara", "display_name": "Mara", "country": "NO"})
	two := call(t, gw, "POST", pathSAT, project(gw), obj{"reference": "mara", "display_name": "Mara B."})
	if one.JSON["subscriber_id"] != two.JSON["subscriber_id"] {
		t.Fatal("two subscribers for one reference")
	}
	info := call(t, gw, "GET", pathInfo, bearer(one.JSON["token"].(string)), nil)
	if info.JSON["display_name"] != "Mara B." || info.JSON["country"] != "NO" {
		t.Errorf("profile: %s", info.Body)
	}
}

func TestBackendValidatesRequests(t *testing.T) {
	gw := sessiontest.NewServer(t)
	past := time.Now().Add(-time.Minute).Unix()
	sat := gw.IssueSAT(sessiontest.SATRequest{Scope: "sat:refresh"})
	own := gw.IssueSAT(sessiontest.SATRequest{Reference: "other"}).AddressID
	eleven := slices.Repeat([]string{own}, 11)
	proof := newProofKey(t, 0).http(pathBind, "")
	for _, c := range []struct {
		path string
		auth func(*http.Request)
		body any
		want string
	}{
		{pathSAT, project(gw), obj{}, "missing_required_parameter reference"},
		{pathSAT, project(gw), obj{"reference": "x", "fingerprint": "short"}, "invalid_parameter fingerprint"},
		{pathSAT, project(gw), obj{"reference": "x", "scope": "admin"}, "invalid_parameter scope"},
		{pathSAT, project(gw), obj{"reference": "x", "expire_at": past}, "invalid_parameter expire_at"},
		{pathRenew, project(gw), obj{"refresh_token": "x"}, "token_invalid refresh_token"},
		{pathRenew, project(gw), obj{"refresh_token": sat.Token}, "not_a_refresh_token refresh_token"},
		{pathGuests, project(gw), obj{}, "missing_required_parameter allowed_addresses"},
		{pathGuests, project(gw), obj{"allowed_addresses": eleven}, "allowed_address_limit_exceeded allowed_addresses"},
		{pathGuests, project(gw), obj{"allowed_addresses": []string{"x"}}, "must_belong_to_project allowed_addresses"},
		{pathGuests, project(gw), obj{"allowed_addresses": []string{own}, "ch": "a b"}, "invalid_parameter ch"},
		{pathInvites, bearer(sat.Token), obj{"address_id": own}, "invalid_parameter address_id"},
		{pathInvites, bearer(sat.Token), obj{"address_id": sat.AddressID, "expires_at": past}, "invalid_parameter expires_at"},
		{pathBind, bearer(sat.Token), obj{"expire_in": 900}, "missing_required_parameter dpop_token"},
		{pathBind, bearer(sat.Token), obj{"dpop_token": proof}, "invalid_parameter expire_in"},
		{pathBind, bearer(sat.Token), obj{"dpop_token": proof, "expire_in": 0}, "invalid_parameter expire_in"},
		{pathBind, bearer(sat.Token), obj{"dpop_token": proof, "expire_in": 1.5}, "invalid_parameter expire_in"},
		{pathBind, bearer(sat.Token), obj{"dpop_token": proof, "expire_in": "900"}, "invalid_parameter expire_in"},
		{"/api/fabric/resources/conference_rooms", project(gw), obj{}, "missing_required_parameter name"},
		{"/api/fabric/resources/swml_scripts", project(gw), obj{"name": "x"}, "missing_required_parameter contents"},
		{"/api/fabric/resources/swml_scripts", project(gw), obj{"name": "x", "contents": "{"}, "not_json_or_yaml contents"},
		{"/api/fabric/resources/subscribers", project(gw), obj{}, "missing_required_parameter email"},
		{"/api/fabric/resources/subscribers", project(gw), obj{"email": "x", "password": "short"}, "invalid_parameter password"},
	} {
		if a := call(t, gw, "POST", c.path, c.auth, c.body); errorCode(a) != c.want {
			t.Errorf("%s %v: %d %s, want %s", c.path, c.body, a.Status, a.Body, c.want)
		}
	}
	if a := call(t, gw, "POST", pathSAT, project(gw), "text"); a.Status != 400 {
		t.Errorf("body that is no object: %d", a.Status)
	}
	if a := call(t, gw, "GET", "/api/fabric/nothing", nil, nil); a.Status != 404 || a.JSON["error"] != "Not Found" {
		t.Errorf("unknown path: %d %s", a.Status, a.Body)
	}
}

func TestGuestSeesOnlyAllowedAddresses(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara, other := gw.IssueSAT(sessiontest.SATRequest{Reference: "mara"}), gw.IssueSAT(sessiontest.SATRequest{Reference: "other"})
	a := call(t, gw, "POST", pathGuests, project(gw), obj{"allowed_addresses": []string{mara.AddressID}})
	if a.Status != 201 || a.JSON["refresh_token"] == "" {
		t.Fatalf("guest: %d %s", a.Status, a.Body)
	}
	guest := a.JSON["token"].(string)
	list := call(t, gw, "GET", pathAddresses, bearer(guest), nil)
	if data := list.JSON["data"].([]any); len(data) != 1 || dig(data[0], "id") != mara.AddressID {
		t.Errorf("list: %s", list.Body)
	}
	if a := call(t, gw, "GET", pathAddresses+"/"+other.AddressID, bearer(guest), nil); a.Status != 404 {
		t.Errorf("address of another: %d", a.Status)
	}
	info := call(t, gw, "GET", pathInfo, bearer(guest), nil)
	if info.Status != 200 || info.JSON["id"] == "" || info.JSON["fabric_addresses"] == nil {
		t.Errorf("info: %d %s", info.Status, info.Body)
	}
}

func TestEmbedExchangeOnBothPaths(t *testing.T) {
	gw := sessiontest.NewServer(t)
	id := gw.AddEmbed("c2t_public")
	for _, path := range []string{"/api/fabric/embeds/tokens", "/api/embeds/tokens"} {
		a := call(t, gw, "POST", path, nil, obj{"token": "c2t_public"})
		if a.Status != 201 {
			t.Fatalf("%s: %d %s", path, a.Status, a.Body)
		}
		list := call(t, gw, "GET", pathAddresses, bearer(a.JSON["token"].(string)), nil)
		if data := list.JSON["data"].([]any); len(data) != 1 || dig(data[0], "id") != id {
			t.Errorf("reach: %s", list.Body)
		}
		if a := call(t, gw, "POST", path, nil, obj{"token": "c2c_other"}); a.Status != 401 {
			t.Errorf("unregistered token: %d", a.Status)
		}
	}
}

func TestInviteToOwnAddress(t *testing.T) {
	gw := sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	a := call(t, gw, "POST", pathInvites, bearer(sat.Token), obj{"address_id": sat.AddressID})
	if a.Status != 201 || a.JSON["refresh_token"] != nil {
		t.Fatalf("invite: %d %s", a.Status, a.Body)
	}
	if a := call(t, gw, "GET", pathInfo, bearer(a.JSON["token"].(string)), nil); a.Status != 200 {
		t.Errorf("info: %d", a.Status)
	}
}

func TestResourcesComeAndGo(t *testing.T) {
	gw := sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{})
	lookup := func(name string) []any {
		a := call(t, gw, "GET", pathAddresses+"?name="+name, bearer(sat.Token), nil)
		return a.JSON["data"].([]any)
	}
	for _, c := range []struct {
		kind   string
		body   obj
		status int
		want   string
		dial   string
	}{
		{"conference_rooms", obj{"name": "lobby"}, 200, "video_room", "%2Fpublic%2Flobby"},
		{"swml_scripts", obj{"name": "ivr", "contents": `{"sections":{}}`}, 200, "swml_script", "%2Fprivate%2Fivr"},
		{"swml_scripts", obj{"name": "ivr2", "contents": obj{"sections": obj{}}}, 200, "swml_script", "ivr2"},
		{"subscribers", obj{"email": "ann@example.org", "password": "12345678"}, 201, "subscriber", "%2Fprivate%2Fann"},
	} {
		a := call(t, gw, "POST", "/api/fabric/resources/"+c.kind, project(gw), c.body)
		id, _ := a.JSON["id"].(string)
		if a.Status != c.status || a.JSON["type"] != c.want || id == "" || strings.Contains(string(a.Body), "12345678") {
			t.Fatalf("%s: %d %s", c.kind, a.Status, a.Body)
		}
		if len(lookup(c.dial)) == 0 {
			t.Errorf("%s cannot be found as %s", c.kind, c.dial)
		}
		if a := call(t, gw, "GET", "/api/fabric/resources/"+id, project(gw), nil); a.JSON["id"] != id {
			t.Errorf("show: %d %s", a.Status, a.Body)
		}
		if a := call(t, gw, "GET", "/api/fabric/resources/"+id+"/addresses", project(gw), nil); len(a.JSON["data"].([]any)) == 0 {
			t.Errorf("addresses: %d %s", a.Status, a.Body)
		}
		for _, want := range []int{204, 404} {
			if a := call(t, gw, "DELETE", "/api/fabric/resources/"+id, project(gw), nil); a.Status != want {
				t.Errorf("delete: %d, want %d", a.Status, want)
			}
		}
		if len(lookup(c.dial)) != 0 {
			t.Errorf("%s can still be found", c.dial)
		}
	}
}

func TestDirectoryPages(t *testing.T) {
	gw := sessiontest.NewServer(t)
	var token string
	for _, name := range []string{"ann", "bob", "cyd", "dan", "eve"} {
		token = gw.IssueSAT(sessiontest.SATRequest{Reference: name}).Token
	}
	var names []string
	next := pathAddresses + "?sort_by=name&sort_order=desc&page_size=2"
	for pages := 0; next != "" && pages < 10; pages++ {
		a := call(t, gw, "GET", next, bearer(token), nil)
		for _, d := range a.JSON["data"].([]any) {
			names = append(names, dig(d, "name").(string))
		}
		link, _ := dig(a.JSON, "links", "next").(string)
		next = strings.TrimPrefix(link, gw.APIURL())
	}
	if diff := cmp.Diff([]string{"eve", "dan", "cyd", "bob", "ann"}, names); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
	for query, want := range map[string]string{
		"?page_number=1":                "page_token_required page_token",
		"?page_number=1&page_token=PAx": "page_token_is_invalid page_token",
		"?sort_order=asc":               "sort_order_validations sort_order",
		"?page_size=x":                  "invalid_parameter page_size",
	} {
		if a := call(t, gw, "GET", pathAddresses+query, bearer(token), nil); errorCode(a) != want {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
		}
	}
}

func TestCORS(t *testing.T) {
	open := sessiontest.NewServer(t)
	listed := sessiontest.NewServer(t, sessiontest.Options{AllowedOrigins: []string{"https://app.example.org"}})
	origin := func(o string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Origin", o)
			r.Header.Set("Access-Control-Request-Private-Network", "true")
		}
	}
	pre := call(t, open, "OPTIONS", "/api/anything", origin("https://app.example.org"), nil)
	want := map[string]string{
		"Access-Control-Allow-Origin":          "*",
		"Access-Control-Allow-Methods":         "GET, POST, PUT, PATCH, DELETE, OPTIONS",
		"Access-Control-Allow-Headers":         "Authorization, Content-Type, Accept",
		"Access-Control-Max-Age":               "600",
		"Access-Control-Allow-Private-Network": "true",
		"Access-Control-Allow-Credentials":     "",
	}
	for name, value := range want {
		if pre.Header.Get(name) != value {
			t.Errorf("preflight: %s is %q", name, pre.Header.Get(name))
		}
	}
	if pre.Status != 204 || len(pre.Body) != 0 {
		t.Errorf("preflight: %d %q", pre.Status, pre.Body)
	}
	open.Inject(sessiontest.Fault{Match: sessiontest.Match{Path: "/api/fault"}, Action: sessiontest.Action{Kind: sessiontest.FaultStatus}})
	for path, status := range map[string]int{pathInfo: 401, "/api/none": 404, "/api/fault": 500} {
		a := call(t, open, "GET", path, origin("https://x.example"), nil)
		if a.Status != status || a.Header.Get("Access-Control-Allow-Origin") != "*" ||
			a.Header.Get("Access-Control-Expose-Headers") != "Retry-After, Date" {
			t.Errorf("%s: %d %v", path, a.Status, a.Header)
		}
	}
	for from, echoed := range map[string]string{"https://app.example.org": "https://app.example.org", "https://evil.example": ""} {
		a := call(t, listed, "GET", pathInfo, origin(from), nil)
		if a.Header.Get("Access-Control-Allow-Origin") != echoed || a.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: %v", from, a.Header)
		}
	}
}
