package sessiontest

import (
	"cmp"
	"slices"
	"time"
)

// resource is something a backend created: a room, a script or a subscriber.
type resource struct {
	ID        string
	Kind      string // "video_room", "swml_script" or "subscriber"
	Detail    string // member of the body that holds the details
	Display   string
	Details   map[string]any
	CreatedAt time.Time
}

// body is the resource in its wire form.
func (x *resource) body(projectID string) map[string]any {
	at := isoTime(x.CreatedAt)
	return map[string]any{
		"id": x.ID, "project_id": projectID, "display_name": x.Display, "type": x.Kind,
		"created_at": at, "updated_at": at, x.Detail: x.Details,
	}
}

// addResource stores a resource and makes it dialable under its name in each context.
func (r *registry) addResource(x *resource, addressType, name string, contexts ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x.CreatedAt = r.now()
	setDefault(&x.ID, newUUID())
	r.resources[x.ID] = x
	for _, context := range contexts {
		r.addAddressLocked(addressType, context, name, x.ID, x.Display)
	}
}

func (r *registry) resource(id string) *resource {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resources[id]
}

// removeResource deletes a resource with its addresses and, if it is one, the subscriber.
func (r *registry) removeResource(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.resources[id] == nil {
		return false
	}
	delete(r.resources, id)
	for key, a := range r.addresses {
		if a.ResourceID == id {
			delete(r.addresses, key)
		}
	}
	if sub := r.subscribers[id]; sub != nil {
		delete(r.references, sub.Reference)
		delete(r.subscribers, id)
	}
	return true
}

func (r *registry) allResources() []*resource {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*resource
	for _, x := range r.resources {
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b *resource) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (r *registry) addressesOf(resourceID string) []*address {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*address
	for _, a := range r.addresses {
		if a.ResourceID == resourceID {
			found = append(found, a)
		}
	}
	sortAddresses(found, "name", "asc")
	return found
}

func (r *registry) addEmbed(token string) (addressID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := newUUID()
	addressID = r.addAddressLocked("call", "public", "embed-"+id[:8], id, "Click to call").ID
	r.embeds[token] = addressID
	return addressID
}

func (r *registry) embed(token string) (addressID string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	addressID, ok = r.embeds[token]
	return addressID, ok && token != ""
}
