package sessiontest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const maxRequestBody = 1 << 20

// request is one HTTP request with what the server worked out about it.
type request struct {
	*http.Request
	body   []byte
	bearer string
	claims claims       // of the bearer token, once an authorization let it pass
	entry  *Entry       // the journal's record of it
	proof  *reservation // settled when the outcome is known
	refuse string       // why it was refused, for the journal
}

// response is an answer not yet written, so that a fault can spoil it first.
type response struct {
	status int
	header http.Header
	body   []byte // nil for none
}

// endpoint answers one kind of request.
type endpoint func(*request) response

func answer(status int, body any) response {
	return response{
		status: status,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   mustJSON(body),
	}
}

func failure(status int) response {
	return answer(status, map[string]string{"error": http.StatusText(status)})
}

// apiError is one item of a validation failure.
type apiError struct {
	Type      string  `json:"type"`
	Code      string  `json:"code"`
	Message   string  `json:"message"`
	Attribute *string `json:"attribute"`
	URL       string  `json:"url"`
}

// invalid answers 422 about one attribute.
func invalid(attribute, code, message string) response {
	return answer(http.StatusUnprocessableEntity, map[string][]apiError{"errors": {{
		Type: "validation_error", Code: code, Message: message, Attribute: &attribute,
		URL: "https://signalwire.com/docs/apis/error-codes",
	}}})
}

func (r *request) unauthorized(why error) response {
	r.refuse = why.Error()
	return failure(http.StatusUnauthorized)
}

// decode reads the JSON body into v, or gives the answer that says why it cannot.
func (r *request) decode(v any) (response, bool) {
	if err := json.Unmarshal(r.body, v); err != nil {
		r.refuse = "request body: " + err.Error()
		return failure(http.StatusBadRequest), false
	}
	return response{}, true
}

// routes lists every endpoint. The part of a later kind adds its own list here.
func (s *Server) routes() map[string]endpoint {
	client := []string{KindSAT, KindBound, KindGuest, KindInvite, KindEmbed}
	owner := []string{KindSAT, KindBound}
	return map[string]endpoint{
		"GET /api/fabric/subscriber/info":           s.bearer(s.subscriberInfo, client...),
		"POST /api/fabric/subscriber/devices/token": s.bearer(s.bindToken, owner...),
		"POST /api/fabric/subscriber/devices/refresh": s.bearer(
			s.refreshBoundToken, owner...),
		"POST /api/fabric/subscriber/invites": s.bearer(s.createInvite, owner...),
		"GET /api/fabric/addresses":           s.bearer(s.listAddresses, client...),
		"GET /api/fabric/addresses/{id}":      s.bearer(s.showAddress, client...),

		"POST /api/fabric/conversations/join":               s.bearer(s.joinConversation, owner...),
		"GET /api/fabric/conversations":                     s.bearer(s.listConversations, owner...),
		"GET /api/fabric/conversations/{group_id}/messages": s.bearer(s.listMessages, owner...),
		"POST /api/fabric/messages":                         s.bearer(s.createMessage, owner...),

		"POST /api/fabric/embeds/tokens": s.exchangeEmbed,
		"POST /api/embeds/tokens":        s.exchangeEmbed,

		"POST /api/fabric/subscribers/tokens":         s.basic(s.createSAT),
		"POST /api/fabric/subscribers/tokens/refresh": s.basic(s.renewPair),
		"POST /api/fabric/guests/tokens":              s.basic(s.createGuest),
		"POST /api/fabric/resources/subscribers":      s.basic(s.createSubscriber),
		"POST /api/fabric/resources/conference_rooms": s.basic(s.createRoom),
		"POST /api/fabric/resources/swml_scripts":     s.basic(s.createScript),
		"GET /api/fabric/resources":                   s.basic(s.listResources),
		"GET /api/fabric/resources/{id}":              s.basic(s.showResource),
		"DELETE /api/fabric/resources/{id}":           s.basic(s.deleteResource),
		"GET /api/fabric/resources/{id}/addresses":    s.basic(s.listResourceAddresses),
		"/": func(*request) response { return failure(http.StatusNotFound) },
	}
}

// handler builds the public HTTP surface: CORS around faults around endpoints, and the socket on "/".
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, e := range s.routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serveEndpoint(w, r, e) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		if s.cors(w, r) {
			return
		}
		if r.URL.Path == "/" && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			s.serveUpgrade(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// serveEndpoint runs one request from its journal entry to its answer.
func (s *Server) serveEndpoint(w http.ResponseWriter, hr *http.Request, e endpoint) {
	body, err := io.ReadAll(http.MaxBytesReader(w, hr.Body, maxRequestBody))
	r := &request{Request: hr, body: body, bearer: bearerOf(hr)}
	r.entry = s.journal.add(s.describe(r))
	fault := s.takeHTTPFault(r)
	if err != nil {
		e = func(*request) response { return failure(http.StatusRequestEntityTooLarge) }
	}
	resp := s.applyHTTPFault(w, r, fault, e)
	s.settle(r, resp)
	s.write(w, r, resp, fault)
}

// settle records the outcome of a request. The proof that came with it is used up unless the server
// failed on its own account. A response without status is none: the request is left hanging or cut.
func (s *Server) settle(r *request, resp response) {
	if r.proof != nil && resp.status >= 500 && !s.opts.StrictProofs {
		r.proof.release()
	}
	if resp.status != 0 {
		s.journal.update(r.entry, func(e *Entry) { e.Status, e.Answered, e.Reason = resp.status, s.now(), r.refuse })
	}
	s.log.Debug("http", "method", r.Method, "path", r.URL.Path, "status", resp.status, "reason", r.refuse)
}

func (resp response) writeTo(w http.ResponseWriter) {
	for name, values := range resp.header {
		w.Header()[name] = values
	}
	if resp.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(resp.body)))
	}
	w.WriteHeader(resp.status)
	_, _ = w.Write(resp.body)
}

// describe starts the journal entry of a request.
func (s *Server) describe(r *request) Entry {
	e := Entry{
		Time: s.now(), Direction: "in", Transport: "http", Method: r.Method, Path: r.URL.Path, Token: redact(r.bearer),
	}
	if c, err := s.sealer.open(r.bearer); err == nil {
		e.TokenID, e.TokenKind, e.Subscriber = c.JTI, c.Kind, c.Subject
	}
	var carried struct {
		Proof   string `json:"dpop_token"`
		Refresh string `json:"refresh_token"`
	}
	if json.Unmarshal(r.body, &carried) == nil {
		e.Proof = peekProof(carried.Proof)
		if c, err := s.sealer.open(carried.Refresh); err == nil && e.TokenKind == "" {
			e.Token, e.TokenID, e.TokenKind, e.Subscriber = redact(carried.Refresh), c.JTI, c.Kind, c.Subject
		}
	}
	return e
}
