package session

import (
	"context"
	"maps"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
	"github.com/callrx/callrx/observable"
)

// A ResourceType is what an address leads to.
type ResourceType string

const (
	// ResourceApp is a script or another application.
	ResourceApp ResourceType = "app"
	// ResourceCall is a call.
	ResourceCall ResourceType = "call"
	// ResourceRoom is a room that many can join.
	ResourceRoom ResourceType = "room"
	// ResourceSubscriber is a person.
	ResourceSubscriber ResourceType = "subscriber"
)

// An AddressRecord is what the service tells of an address: a snapshot that never
// changes.
type AddressRecord struct {
	ID          string
	Name        string // within its context, such as "lobby"
	DisplayName string // for people
	ResourceID  string
	Type        ResourceType      // or one of a later time
	Channels    map[string]string // dialable URIs by "audio", "video", "messaging"
	PreviewURL  string            // of a picture that shows what is going on there; may be empty
	CoverURL    string            // of a picture that stands for it; may be empty
	Locked      bool              // nobody else can join now
	CreatedAt   time.Time         // zero: not told
}

func newAddressRecord(a rest.Address) AddressRecord {
	created, _ := time.Parse(time.RFC3339, a.CreatedAt)
	return AddressRecord{
		ID: a.ID, Name: a.Name, DisplayName: a.DisplayName, ResourceID: a.ResourceID,
		Type: ResourceType(a.Type), Channels: a.Channels,
		PreviewURL: a.PreviewURL, CoverURL: a.CoverURL, Locked: a.Locked, CreatedAt: created,
	}
}

// DefaultChannel is the URI to dial: of the video channel of a room, of the
// audio channel of anything else; empty if the address lacks that.
func (r AddressRecord) DefaultChannel() string {
	if r.Type == ResourceRoom {
		return r.Channels["video"]
	}
	return r.Channels["audio"]
}

// An Address is an entry of a [Directory], alive: its getters tell what the
// service has told last, its observables each change. It stays one and the same
// as long as the directory has it, and ends with the client.
type Address struct {
	d     *Directory
	id    string
	facts facts[AddressRecord]
	asked int // for what is told of it; the directory's mu guards it

	opening slot // the conversation is opened once
	talk    atomic.Pointer[Conversation]
}

const (
	factAddressDisplayName factKey = iota
	factAddressType
	factAddressLocked
	factAddressPreview
	factAddressCover
	factAddressChannels
	factAddressResource
)

func newAddress(d *Directory, r AddressRecord) *Address {
	return &Address{d: d, id: r.ID, facts: facts[AddressRecord]{now: &r}, opening: newSlot()}
}

// ID names the address for good.
func (a *Address) ID() string { return a.id }

// Record is everything that the service has told of the address.
func (a *Address) Record() AddressRecord { return *a.facts.get() }

// Name is its name within its context, such as "lobby".
func (a *Address) Name() string { return a.facts.get().Name }

// DisplayName is what people call it.
func (a *Address) DisplayName() string { return a.facts.get().DisplayName }

// ObserveDisplayName is the state stream of DisplayName.
func (a *Address) ObserveDisplayName() observable.Of[string] {
	return observeSame(&a.facts, factAddressDisplayName, func(r *AddressRecord) string { return r.DisplayName })
}

// Type is what it leads to.
func (a *Address) Type() ResourceType { return a.facts.get().Type }

// ObserveType is the state stream of Type.
func (a *Address) ObserveType() observable.Of[ResourceType] {
	return observeSame(&a.facts, factAddressType, func(r *AddressRecord) ResourceType { return r.Type })
}

// Locked reports whether a room lets nobody else in.
func (a *Address) Locked() bool { return a.facts.get().Locked }

// ObserveLocked is the state stream of Locked.
func (a *Address) ObserveLocked() observable.Of[bool] {
	return observeSame(&a.facts, factAddressLocked, func(r *AddressRecord) bool { return r.Locked })
}

// PreviewURL is where a picture of what is going on there can be had; may be
// empty.
func (a *Address) PreviewURL() string { return a.facts.get().PreviewURL }

// ObservePreviewURL is the state stream of PreviewURL.
func (a *Address) ObservePreviewURL() observable.Of[string] {
	return observeSame(&a.facts, factAddressPreview, func(r *AddressRecord) string { return r.PreviewURL })
}

// CoverURL is where a picture that stands for it can be had; may be empty.
func (a *Address) CoverURL() string { return a.facts.get().CoverURL }

// ObserveCoverURL is the state stream of CoverURL.
func (a *Address) ObserveCoverURL() observable.Of[string] {
	return observeSame(&a.facts, factAddressCover, func(r *AddressRecord) string { return r.CoverURL })
}

// CreatedAt is when it was made; zero if the service does not tell.
func (a *Address) CreatedAt() time.Time { return a.facts.get().CreatedAt }

// ResourceID names what it leads to.
func (a *Address) ResourceID() string { return a.facts.get().ResourceID }

// ObserveResourceID is the state stream of ResourceID.
func (a *Address) ObserveResourceID() observable.Of[string] {
	return observeSame(&a.facts, factAddressResource, func(r *AddressRecord) string { return r.ResourceID })
}

// Activity is not offered by the service: *errs.UnimplementedError.
func (a *Address) Activity(context.Context) ([]CallStatus, error) {
	return nil, &errs.UnimplementedError{Operation: "tell the activity of an address"}
}

// Channels are the dialable URIs by "audio", "video" and "messaging", shared by
// all who ask.
func (a *Address) Channels() map[string]string { return a.facts.get().Channels }

// ObserveChannels is the state stream of Channels.
func (a *Address) ObserveChannels() observable.Of[map[string]string] {
	return observeFact(&a.facts, factAddressChannels,
		func(r *AddressRecord) map[string]string { return r.Channels }, maps.Equal[map[string]string, map[string]string])
}

// DefaultChannel is the URI that Dial dials; see [AddressRecord.DefaultChannel].
func (a *Address) DefaultChannel() string { return a.facts.get().DefaultChannel() }

// Refresh asks the service for the address again. An address that is no more is
// an *errs.AddressNotFoundError.
func (a *Address) Refresh(ctx context.Context) error {
	_, err := a.d.Fetch(ctx, a.id)
	return err
}

// Dial calls the address by its default channel; see [Client.Dial]. An address
// without one is an *errs.CallCreateError.
func (a *Address) Dial(ctx context.Context, o DialOptions) (*Call, error) {
	uri := a.DefaultChannel()
	if uri == "" {
		o.release(a.d.c)
		return nil, dialError(a.Name(), &errs.DependencyError{Description: "a channel that can be dialled"})
	}
	return a.d.c.Dial(ctx, uri, o)
}

// Address is whom the call is with, as the address book has it: who was dialled,
// or who calls. What is not in it, such as a phone number, is an
// *errs.AddressNotFoundError.
func (k *Call) Address(ctx context.Context) (*Address, error) {
	if k.direction == errs.DirectionInbound {
		return k.c.directory.Lookup(ctx, k.from.URI)
	}
	return k.c.directory.Lookup(ctx, k.to.URI)
}
