package sessiontest

import (
	"strings"
	"sync"
	"time"
)

// subscriber is an account.
type subscriber struct {
	ID        string
	Reference string
	Profile   profile
	Address   string // id of its own address; empty for guests
	Guest     bool
	CreatedAt time.Time
}

// profile is what a subscriber tells about itself. It is also the wire form of those fields.
type profile struct {
	Email       string `json:"email"`
	FirstName   string `json:"first_name,omitempty"`
	LastName    string `json:"last_name,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
	JobTitle    string `json:"job_title,omitempty"`
	TimeZone    string `json:"time_zone,omitempty"`
	Country     string `json:"country,omitempty"`
	Region      string `json:"region,omitempty"`
	CompanyName string `json:"company_name,omitempty"`
}

// merge takes over every field that other sets.
func (p *profile) merge(other profile) {
	for _, f := range []struct{ to, from *string }{
		{&p.Email, &other.Email}, {&p.FirstName, &other.FirstName}, {&p.LastName, &other.LastName},
		{&p.DisplayName, &other.DisplayName}, {&p.JobTitle, &other.JobTitle}, {&p.TimeZone, &other.TimeZone},
		{&p.Country, &other.Country}, {&p.Region, &other.Region}, {&p.CompanyName, &other.CompanyName},
	} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
}

// address is a dialable directory entry in its wire form.
type address struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	DisplayName string            `json:"display_name"`
	ResourceID  string            `json:"resource_id"`
	Type        string            `json:"type"`
	Channels    map[string]string `json:"channels"`
	CoverURL    *string           `json:"cover_url"`
	PreviewURL  *string           `json:"preview_url"`
	Locked      bool              `json:"locked"`
	CreatedAt   string            `json:"created_at"`

	context string // "private" or "public"
}

// registry holds subscribers, addresses, resources and embed tokens. Entries are never changed after
// they were handed out; an update replaces them.
type registry struct {
	now func() time.Time

	mu          sync.Mutex
	subscribers map[string]*subscriber
	references  map[string]string // reference -> subscriber id
	addresses   map[string]*address
	resources   map[string]*resource
	embeds      map[string]string // embed token -> address id
}

func newRegistry(now func() time.Time) *registry {
	return &registry{
		now:         now,
		subscribers: map[string]*subscriber{},
		references:  map[string]string{},
		addresses:   map[string]*address{},
		resources:   map[string]*resource{},
		embeds:      map[string]string{},
	}
}

func (r *registry) subscriber(id string) *subscriber {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.subscribers[id]
}

// find returns the subscriber with that id or reference, nil if there is none.
func (r *registry) find(who string) *subscriber {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id, ok := r.references[who]; ok {
		who = id
	}
	return r.subscribers[who]
}

// upsert returns the subscriber of that reference, created or updated.
func (r *registry) upsert(reference string, p profile) *subscriber {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id, ok := r.references[reference]; ok {
		updated := *r.subscribers[id]
		updated.Profile.merge(p)
		r.subscribers[id] = &updated
		return &updated
	}
	name, _, isEmail := strings.Cut(reference, "@")
	full := profile{Email: reference, DisplayName: name}
	if !isEmail {
		full.Email = reference + "@callrx.localhost"
	}
	full.merge(p)
	sub := &subscriber{ID: newUUID(), Reference: reference, Profile: full, CreatedAt: r.now()}
	sub.Address = r.addAddressLocked("subscriber", "private", name, sub.ID, full.DisplayName).ID
	r.subscribers[sub.ID] = sub
	r.references[reference] = sub.ID
	return sub
}

// guest is the synthetic subscriber behind a guest, invite or embed-derived token: the one with that
// reference, so that a later token of the same embed token can take over its session, or a new one.
func (r *registry) guest(reference string) *subscriber {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sub := r.subscribers[r.references[reference]]; sub != nil {
		return sub
	}
	id := newUUID()
	if reference == "" {
		reference = id
	}
	r.references[reference] = id
	sub := &subscriber{
		ID: id, Reference: reference, Guest: true, CreatedAt: r.now(),
		Profile: profile{Email: "guest-" + id + "@callrx.localhost", DisplayName: "Guest"},
	}
	r.subscribers[id] = sub
	return sub
}

func (r *registry) addAddressLocked(kind, context, name, resourceID, displayName string) *address {
	base := "/" + context + "/" + name + "?channel="
	a := &address{
		ID: newUUID(), Name: name, DisplayName: displayName, ResourceID: resourceID, Type: kind, context: context,
		Channels:  map[string]string{"audio": base + "audio", "video": base + "video"},
		CreatedAt: isoTime(r.now()),
	}
	if kind == "subscriber" {
		a.Channels["messaging"] = base + "messaging"
	}
	r.addresses[a.ID] = a
	return a
}

func (r *registry) address(id string) *address {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.addresses[id]
}

// isoTime is the form of timestamps in resource bodies.
func isoTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
