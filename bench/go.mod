module github.com/solafon/solafon-go/bench

go 1.26.0

require github.com/solafon/solafon-go v0.0.0

replace github.com/solafon/solafon-go => ../
