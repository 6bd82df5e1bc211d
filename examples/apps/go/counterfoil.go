// Who made this request, as the gateway says: verifies the header Counterfoil-Assertion with the standard library alone.

package main

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// Claims is what the gateway says of one request.
type Claims struct {
	Issuer   string  `json:"iss"`
	Audience string  `json:"aud"`
	Subject  *string `json:"sub"` // the person; nil where nobody is signed in
	Issued   int64   `json:"iat"`
	Expires  int64   `json:"exp"`
	Request  string  `json:"req"`
}

// Verifier knows which assertions are meant for this app.
type Verifier struct {
	App     string   // the app's name in the gateway's configuration
	Origins []string // where browsers find it, such as https://shop.example.com
	Keys    *Keys
}

// ErrUnavailable says that the gateway's keys cannot be had. Answer 503; let nobody in. At any other error answer 403:
// the request did not come through the gateway, or not as it is.
var ErrUnavailable = errors.New("the gateway's keys are unavailable")

// Verify reads and checks the one assertion of this request.
func (v *Verifier) Verify(r *http.Request) (*Claims, error) {
	assertions := r.Header.Values("Counterfoil-Assertion")
	if len(assertions) != 1 {
		return nil, errors.New("not exactly one assertion")
	}
	parts := strings.Split(assertions[0], ".")
	var header struct {
		Alg, Typ, Kid string
		Crit          any
	}
	var claims Claims
	if len(parts) != 3 || decode(parts[0], &header) != nil || decode(parts[1], &claims) != nil {
		return nil, errors.New("not a token")
	}
	if header.Alg != "ES256" || header.Typ != "counterfoil+jwt" || header.Kid == "" || header.Crit != nil {
		return nil, errors.New("another kind of token")
	}
	key, err := v.Keys.Find(header.Kid)
	if err != nil {
		return nil, err
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || len(signature) != 64 || !ecdsa.Verify(key, digest[:], number(signature[:32]), number(signature[32:])) {
		return nil, errors.New("the signature is wrong")
	}
	now := time.Now().Unix()
	if claims.Expires+5 <= now || claims.Issued-5 > now || claims.Issued == 0 {
		return nil, errors.New("expired, or from the future")
	}
	if claims.Audience != v.App || !contains(v.Origins, claims.Issuer) || claims.Request != binding(r) {
		return nil, errors.New("made for another app or request")
	}
	return &claims, nil
}

// What `req` must be: method, host and target of this request, as they came, not as a router rewrote them.
func binding(r *http.Request) string {
	host := strings.TrimSuffix(strings.ToLower(r.Host), ":443")
	digest := sha256.Sum256([]byte(r.Method + "\n" + host + "\n" + r.RequestURI))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

func decode(part string, into any) error {
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func number(bytes []byte) *big.Int { return new(big.Int).SetBytes(bytes) }

func contains(all []string, one string) bool {
	for _, each := range all {
		if each == one {
			return true
		}
	}
	return false
}
