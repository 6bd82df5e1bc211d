module example.com/counterfoil-notes

go 1.19
