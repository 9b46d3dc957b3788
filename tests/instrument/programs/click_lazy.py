"""A click group that looks for its commands itself, and imports click only when it runs."""
# run: list
# run: late
# run: broken => 1
# run: unknown => 2
# run: --help


def main():
    import click

    class Lazy(click.Group):
        def list_commands(self, ctx):
            return ["late", "list"]

        def get_command(self, ctx, name):
            if name == "broken":
                raise ImportError("a plugin that cannot be imported")
            if name in self.list_commands(ctx):
                return click.Command(name, callback=lambda x: click.echo(f"this is {name}"), params=[click.Option(["--x"])])
            return None

        def resolve_command(self, ctx, args):
            click.echo(f"resolving {args}")
            return super().resolve_command(ctx, args)

    Lazy("probe", help="Finds commands late.")()
