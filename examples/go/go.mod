module example.org/skim

go 1.21
