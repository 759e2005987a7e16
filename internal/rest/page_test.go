package rest_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/callrx/callrx/errs"
)

// TestPagesStayAtTheAPI: whatever host a link names, the token goes to ours.
func TestPagesStayAtTheAPI(t *testing.T) {
	for name, next := range map[string]string{
		"own host":     base + "/api/fabric/addresses?page_number=1&page_token=PAx",
		"foreign host": "https://attacker.example/api/fabric/addresses?page_number=1&page_token=PAx",
		"no host":      "/api/fabric/addresses?page_number=1&page_token=PAx",
		"query only":   "?page_number=1&page_token=PAx",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMemoryServer(t, respond(200, `{"data":[{"id":"a"}],"links":{"next":null}}`))
				client, _ := newClient(t, server)
				p, err := client.Addresses(t.Context(), next)
				if err != nil || len(p.Addresses) != 1 || p.Next != "" {
					t.Fatalf("%+v, %v", p, err)
				}
				r := server.seen()[0]
				if r.path != "/api/fabric/addresses?page_number=1&page_token=PAx" || r.host != "fabric.test.localhost" {
					t.Errorf("asked %s for %s", r.host, r.path)
				}
			})
		})
	}
}

func TestPageThatMakesNoSenseIsAnError(t *testing.T) {
	const same = "/api/fabric/addresses?page_number=1"
	for name, body := range map[string]string{
		"no data":        `{"links":{}}`,
		"data of a kind": `{"data":{"id":"a"}}`,
		"not JSON":       `<html>`,
		"a circle":       `{"data":[],"links":{"next":"` + same + `"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := newClient(t, newMemoryServer(t, respond(200, body)))
				var unusable *errs.ResponseError
				if p, err := client.Addresses(t.Context(), same); !errors.As(err, &unusable) {
					t.Errorf("%+v, %v", p, err)
				}
			})
		})
	}
}

// TestAddressWithoutAnIDIsNone, whatever else the list has.
func TestAddressWithoutAnIDIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClient(t, newMemoryServer(t, respond(200, `{"data":[{"name":"x"},{"id":"a"},null,{}],"links":{"next":"?page_number=1"}}`)))
		p, err := client.Addresses(t.Context(), "")
		if err != nil || len(p.Addresses) != 1 || p.Addresses[0].ID != "a" || p.Next == "" {
			t.Errorf("%+v, %v", p, err)
		}
		named, err := client.AddressesNamed(t.Context(), "x")
		if err != nil || len(named) != 1 || named[0].ID != "a" {
			t.Errorf("%+v, %v", named, err)
		}
	})
}
