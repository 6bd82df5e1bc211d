// A notice board behind the gateway, in Go. Run it with `go run .`.

package main

import (
	"context"
	"errors"
	"html/template"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
)

var (
	mutex sync.Mutex
	notes = map[string]string{}

	publicPage = template.Must(template.New("").Parse(`<h1>Everybody may read this.</h1><p>You are {{.}}.</p>`))
	ownPage    = template.Must(template.New("").Parse(`<h1>You are {{.Person}}.</h1><p>Your note: {{.Note}}</p>
<form method=post action=/note><input name=text></form>`))
)

type personKey struct{}

func main() {
	verifier := &Verifier{
		App:     os.Getenv("COUNTERFOIL_APP"),
		Origins: strings.Fields(os.Getenv("COUNTERFOIL_ORIGINS")),
		Keys:    &Keys{URL: os.Getenv("COUNTERFOIL_JWKS")},
	}
	pages := http.NewServeMux()
	pages.HandleFunc("/", public)
	pages.HandleFunc("/me", signedIn(http.MethodGet, me))
	pages.HandleFunc("/note", signedIn(http.MethodPost, note))
	// Around the router, which would otherwise answer some requests by itself.
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), verifier.around(pages)))
}

func (v *Verifier) around(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := v.Verify(r)
		switch {
		case errors.Is(err, ErrUnavailable):
			log.Print("keys: ", err)
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case err != nil:
			log.Print("refused: ", err)
			http.Error(w, "bypassed", http.StatusForbidden)
		default:
			pages.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), personKey{}, claims.Subject)))
		}
	})
}

// Who it is; nil where nobody is signed in.
func person(r *http.Request) *string {
	person, _ := r.Context().Value(personKey{}).(*string)
	return person
}

func signedIn(method string, page func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			http.Error(w, "not so", http.StatusMethodNotAllowed)
		} else if person := person(r); person == nil {
			http.Error(w, "nobody is signed in", http.StatusUnauthorized)
		} else {
			page(w, r, *person)
		}
	}
}

func public(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	name := "nobody"
	if person := person(r); person != nil {
		name = *person
	}
	publicPage.Execute(w, name)
}

func me(w http.ResponseWriter, _ *http.Request, person string) {
	mutex.Lock()
	defer mutex.Unlock()
	ownPage.Execute(w, map[string]string{"Person": person, "Note": notes[person]})
}

func note(w http.ResponseWriter, r *http.Request, person string) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	text := r.PostFormValue("text")
	mutex.Lock()
	defer mutex.Unlock()
	notes[person] = text
	http.Redirect(w, r, "/me", http.StatusSeeOther)
}
