"""The dashboard's entrance: the frame around every page, and the way to each of them."""

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.starlette import App

from pages.shared import server


def main() -> None:
    """Draw the page that is asked for in its frame."""
    server.ready()
    import streamlit as st  # noqa: PLC0415 - the server is up sooner without what only the pages need

    from pages.shared import frame, opened, person, settings, sign_in, tasks  # noqa: PLC0415 - the same

    let_in = person.let_in()
    page = frame.enter(alone=not let_in)
    if not let_in:
        sign_in.page()
        return
    with frame.guarded():  # the workspace may be away, too
        opened.sync()
        tasks.settle()
        settings.sync()
        with st.sidebar:
            frame.shelf(**opened.words())
            tasks.bars()
            sign_in.mark()
        if words := opened.lost():
            frame.note(words)
        tasks.offer_again()
        server.ready(page.url_path or "home")
        page.run()


if get_script_run_ctx(suppress_warning=True) is None:  # `streamlit run` looks for an application here first,
    app = App(__file__, routes=server.routes(), middleware=server.doors(), lifespan=server.lifespan)
else:  # and then runs this file as a script
    main()
