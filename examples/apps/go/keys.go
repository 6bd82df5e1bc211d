// The gateway's published keys, kept for five minutes.

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Keys of a JWK set.
type Keys struct {
	URL string

	mutex          sync.Mutex
	keys           map[string]*ecdsa.PublicKey
	tried, fetched time.Time
}

// Find gives the key of that name. For an unknown one the set is fetched again, at most every three seconds.
func (k *Keys) Find(kid string) (*ecdsa.PublicKey, error) {
	k.mutex.Lock() // one fetches, the others wait
	defer k.mutex.Unlock()
	if (k.old() || k.keys[kid] == nil) && time.Since(k.tried) >= 3*time.Second {
		k.tried = time.Now()
		if keys, err := fetch(k.URL); err == nil {
			k.keys, k.fetched = keys, k.tried
		}
	}
	if k.old() {
		return nil, ErrUnavailable
	}
	if key := k.keys[kid]; key != nil {
		return key, nil
	}
	if k.tried != k.fetched {
		return nil, ErrUnavailable // it may be a new key
	}
	return nil, errors.New("no such key")
}

func (k *Keys) old() bool { return time.Since(k.fetched) > 5*time.Minute }

func fetch(url string) (map[string]*ecdsa.PublicKey, error) {
	client := http.Client{Timeout: 3 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var set struct {
		Keys []struct{ Kid, Alg, Kty, Crv, X, Y string }
	}
	if answer.StatusCode != http.StatusOK {
		return nil, errors.New(answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<16)).Decode(&set); err != nil {
		return nil, err
	}
	keys := map[string]*ecdsa.PublicKey{}
	for _, key := range set.Keys {
		x, errX := base64.RawURLEncoding.DecodeString(key.X)
		y, errY := base64.RawURLEncoding.DecodeString(key.Y)
		point := &ecdsa.PublicKey{Curve: elliptic.P256(), X: number(x), Y: number(y)}
		if key.Alg == "ES256" && key.Kty == "EC" && key.Crv == "P-256" && errX == nil && errY == nil && point.IsOnCurve(point.X, point.Y) {
			keys[key.Kid] = point
		}
	}
	return keys, nil
}
