package rest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/internal/rest"
	"github.com/google/go-cmp/cmp"
)

func TestSubscriberInfoIsReadInFull(t *testing.T) {
	const body = `{"id":"sub-1","email":"mara@example.org","display_name":"Mara","first_name":"Mara","last_name":"Okonkwo",
	 "job_title":"host","country":"NL","region":"us-central","company_name":"Acme","time_zone":-5,
	 "push_notification_key":"pk-mara","unknown":{"a":1},
	 "app_settings":{"display_name":"app","scopes":["call"]},
	 "fabric_addresses":[{"id":"addr-1","name":"mara","display_name":"Mara","resource_id":"res-1","type":"subscriber","locked":true,
	   "channels":{"audio":"/private/mara?channel=audio"},"cover_url":null,"preview_url":"https://x/p.png","created_at":"2026-03-01T09:30:00Z"}],
	 "sat_claims":{"scope":["sat:refresh"],"cnf":{"jkt":"print"},"expires_at":1795374000}}`
	want := rest.Subscriber{
		ID: "sub-1", Email: "mara@example.org", DisplayName: "Mara", FirstName: "Mara", LastName: "Okonkwo",
		JobTitle: "host", Country: "NL", Region: "us-central", CompanyName: "Acme", TimeZone: "-5", PushNotificationKey: "pk-mara",
		AppSettings: &rest.AppSettings{DisplayName: "app", Scopes: []string{"call"}},
		Addresses: []rest.Address{{
			ID: "addr-1", Name: "mara", DisplayName: "Mara", ResourceID: "res-1", Type: "subscriber", Locked: true,
			Channels:   map[string]string{"audio": "/private/mara?channel=audio"},
			PreviewURL: "https://x/p.png", CreatedAt: "2026-03-01T09:30:00Z",
		}},
		Claims: &rest.Claims{Scope: []string{"sat:refresh"}, Thumbprint: "print", ExpiresAt: time.Unix(1795374000, 0)},
	}
	synctest.Test(t, func(t *testing.T) {
		server := newMemoryServer(t, respond(200, body))
		client, _ := newClient(t, server)
		got, err := client.SubscriberInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error("subscriber (-want +got):\n" + diff)
		}
		r := server.seen()[0]
		if r.method != "GET" || r.path != "/api/fabric/subscriber/info" || r.authorization != "Bearer "+sessionToken ||
			r.header.Get("Content-Type") != "" || r.header.Get("Accept") != "application/json" {
			t.Errorf("request %+v", r)
		}
	})
}

func TestSubscriberInfoToleratesOddFields(t *testing.T) {
	for _, tc := range []struct {
		name, fields string
		want         rest.Subscriber
	}{
		{"bare", ``, rest.Subscriber{}},
		{"nulls", `,"email":null,"time_zone":null,"fabric_addresses":null,"sat_claims":null,"app_settings":null`, rest.Subscriber{}},
		{"named time zone", `,"time_zone":"Europe/Amsterdam"`, rest.Subscriber{TimeZone: "Europe/Amsterdam"}},
		{"object for a text", `,"country":{"code":"NL"}`, rest.Subscriber{}},
		{"empty claims", `,"sat_claims":{}`, rest.Subscriber{Claims: &rest.Claims{}}},
		{"scope as text", `,"sat_claims":{"scope":"sat:refresh","cnf":null}`, rest.Subscriber{Claims: &rest.Claims{Scope: []string{"sat:refresh"}}}},
		{"null scope", `,"sat_claims":{"scope":null,"expires_at":null}`, rest.Subscriber{Claims: &rest.Claims{}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := newClient(t, newMemoryServer(t, respond(200, `{"id":"sub-1"`+tc.fields+`}`)))
				got, err := client.SubscriberInfo(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				tc.want.ID = "sub-1"
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error("subscriber (-want +got):\n" + diff)
				}
			})
		})
	}
}

func TestScopeIsFoundOnlyWhereItIs(t *testing.T) {
	var none *rest.Claims
	if none.HasScope("sat:refresh") || (&rest.Claims{Scope: []string{"other"}}).HasScope("sat:refresh") {
		t.Error("found a scope that is not there")
	}
	if !(&rest.Claims{Scope: []string{"other", "sat:refresh"}}).HasScope("sat:refresh") {
		t.Error("did not find the scope")
	}
}
