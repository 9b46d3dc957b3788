"""Has a module-level object as its entry point: `probe.cli:app`."""
# entry: probe.cli:app
# run: word => 3


class App:
    name = "an app"

    def __call__(self):
        print(self.name, type(self).__module__)
        return 3


app = App()
