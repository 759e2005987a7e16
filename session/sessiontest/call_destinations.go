package sessiontest

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// arrival says what happens to a call when it reaches its destination.
type arrival int

const (
	arriveRoom   arrival = iota // answered at once, in a room
	arrivePerson                // rings a subscriber
	arriveRing                  // rings and is never answered
	arriveBusy                  // ended with USER_BUSY
	arriveEarly                 // early media, then answered
	arriveGone                  // ended with UNALLOCATED_NUMBER
	arriveFail                  // the invite is refused
)

// destination is an address as it was dialled, and what it means.
type destination struct {
	arrival  arrival
	kind     roomKind // of arriveRoom and arriveEarly
	address  string   // without query
	name     string   // last part of the address
	display  string
	subject  string // of arrivePerson
	resource string // that a backend created, "" for none
}

// builtIn maps the names in the public context that mean something else than a room.
func builtIn(name string) (destination, bool) {
	switch name {
	case "echo":
		return destination{arrival: arriveRoom, kind: roomEcho, display: "Echo"}, true
	case "tone":
		return destination{arrival: arriveRoom, kind: roomTone, display: "Tone"}, true
	case "ring":
		return destination{arrival: arriveRing, display: "Nobody"}, true
	case "busy":
		return destination{arrival: arriveBusy, display: "Busy"}, true
	case "fail":
		return destination{arrival: arriveFail, display: "Failure"}, true
	case "early":
		return destination{arrival: arriveEarly, kind: roomTone, display: "Early media"}, true
	case "gone":
		return destination{arrival: arriveGone, display: "Gone"}, true
	}
	return destination{}, false
}

var (
	numberForm  = regexp.MustCompile(`^\+?[0-9]{3,15}$`)
	addressForm = regexp.MustCompile(`^/([^/]+)/([^/]+)$`)
)

// resolve finds out what a dialled address means. A query, such as ?channel=video, is a hint that does not
// matter here.
func (s *Server) resolve(dialled string) (destination, bool) {
	address, _, _ := strings.Cut(dialled, "?")
	if plain, err := url.PathUnescape(address); err == nil {
		address = plain
	}
	switch {
	case numberForm.MatchString(address), strings.HasPrefix(address, "sip:"), strings.HasPrefix(address, "sips:"):
		d, ok := s.resolve(s.opts.DefaultDestination)
		d.address, d.name, d.display = address, address, address
		return d, ok
	case strings.HasPrefix(address, "subscriber://"):
		return s.resolvePerson(address, strings.TrimPrefix(address, "subscriber://"))
	case addressForm.MatchString(address):
		parts := addressForm.FindStringSubmatch(address)
		return s.resolveNamed(address, parts[1], parts[2])
	case address != "" && !strings.Contains(address, "/"): // a bare name
		if d, ok := s.resolvePerson("/private/"+address, address); ok {
			return d, true
		}
		return s.resolveNamed("/public/"+address, "public", address)
	}
	return destination{}, false
}

func (s *Server) resolveNamed(address, context, name string) (destination, bool) {
	if context == "public" {
		if d, ok := builtIn(name); ok {
			d.address, d.name = address, name
			return d, true
		}
	}
	a := s.registry.named(context, name)
	switch {
	case a != nil && a.Type == "subscriber", a == nil && context == "private":
		return s.resolvePerson(address, name)
	case a != nil:
		return destination{arrival: arriveRoom, address: address, name: name, display: a.DisplayName, resource: a.ResourceID}, true
	case context == "public" && !s.opts.KnownRoomsOnly:
		return destination{arrival: arriveRoom, address: address, name: name, display: name}, true
	}
	return destination{}, false
}

// resolvePerson finds a subscriber by the name of its address, its reference or its id.
func (s *Server) resolvePerson(address, name string) (destination, bool) {
	sub := s.registry.find(name)
	if sub == nil {
		if a := s.registry.named("private", name); a != nil {
			sub = s.registry.subscriber(a.ResourceID)
		}
	}
	if sub == nil || sub.Guest {
		return destination{}, false
	}
	return destination{
		arrival: arrivePerson, address: address, name: name, display: sub.Profile.DisplayName, subject: sub.ID,
	}, true
}

// named returns the directory entry of that context and name, nil if there is none.
func (r *registry) named(context, name string) *address {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.addresses {
		if a.context == context && a.Name == name {
			return a
		}
	}
	return nil
}

// callable returns the directory entry of a built-in address or an open room, which no list shows but which
// is found by its full name.
func (s *Server) callable(name string) []*address {
	parts := addressForm.FindStringSubmatch(name)
	if parts == nil || parts[1] != "public" {
		return nil
	}
	s.calls.mu.Lock()
	open := s.calls.rooms[name] != nil
	s.calls.mu.Unlock()
	d, ok := builtIn(parts[2])
	a := &address{
		ID: uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String(), Name: parts[2], DisplayName: d.display, Type: "call",
		Channels:  map[string]string{"audio": name + "?channel=audio", "video": name + "?channel=video"},
		CreatedAt: isoTime(s.now()), context: "public",
	}
	switch {
	case open:
		a.Type, a.DisplayName = "room", parts[2]
	case !ok:
		return nil
	}
	a.ResourceID = a.ID
	return []*address{a}
}

// addressOf returns how a subscriber is dialled.
func (s *Server) addressOf(subject string) string {
	if sub := s.registry.subscriber(subject); sub != nil {
		if a := s.registry.address(sub.Address); a != nil {
			return "/" + a.context + "/" + a.Name
		}
	}
	return "subscriber://" + subject
}
