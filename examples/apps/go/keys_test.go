package main

import (
	"crypto/ecdsa"
	"errors"
	"testing"
	"time"
)

func TestAKeyIsGoodForFiveMinutesWithoutTheGateway(t *testing.T) {
	for age, good := range map[time.Duration]bool{4 * time.Minute: true, 301 * time.Second: false} {
		// Nothing listens there.
		keys := Keys{URL: "http://127.0.0.1:9/", keys: map[string]*ecdsa.PublicKey{"k1": {}}, fetched: time.Now().Add(-age)}
		if _, err := keys.Find("k1"); (err == nil) != good || (err != nil && !errors.Is(err, ErrUnavailable)) {
			t.Errorf("after %v: %v", age, err)
		}
	}
}
