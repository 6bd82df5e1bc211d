//! Django's admin from the Python package index, on a project of nothing but settings: sessions are rows.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Application, password};
use crate::house::{Failure, Process, installed, output};
use crate::state::State;

#[derive(Debug)]
pub(super) struct Django;

impl Application for Django {
    fn profile(&self) -> &'static str {
        include_str!("../../profiles/django.toml")
    }

    /// `SESSION_COOKIE_NAME`, of which the settings say nothing.
    fn session(&self, _: u16) -> Vec<String> {
        vec!["sessionid".to_owned()]
    }

    fn token(&self) -> Option<&'static str> {
        Some("csrfmiddlewaretoken")
    }

    fn start(&self, folder: &Path, port: u16) -> Result<Vec<Process>, Failure> {
        fs::write(folder.join("site.py"), SITE)?;
        output(python()?.current_dir(folder).args(["site.py", "migrate", "--verbosity", "0"]), "django")?;
        let people: Vec<_> = ["ada", "grace"].map(|name| format!("('{name}', '{}')", password(name))).into();
        let script = format!(
            "from django.contrib.auth.models import User\n\
             for name, word in [{}]: User.objects.create_superuser(name, name + '@site.example', word)",
            people.join(", ")
        );
        output(python()?.current_dir(folder).args(["site.py", "shell", "-c", &script]), "django")?;
        let mut server = python()?;
        server.args(["site.py", "runserver", "--noreload", "--insecure", &format!("127.0.0.1:{port}")]);
        Ok(vec![Process::listening(server, "django", folder, port)?])
    }

    /// But sessions, the groups that the profile makes with their log, and what signing in and a changed password leave.
    fn state(&self, folder: &Path) -> Result<State, Failure> {
        let script = "import sqlite3\n\
             d = sqlite3.connect('db.sqlite3')\n\
             skip = {'django_session', 'auth_group', 'django_admin_log', 'sqlite_sequence'}\n\
             for (t,) in list(d.execute(\"select name from sqlite_master where type = 'table'\")):\n    \
             if t in skip: continue\n    \
             c = [r[1] for r in d.execute(f'pragma table_info({t})') if r[1] not in ('last_login', 'password')]\n    \
             for r in d.execute(f'select {\",\".join(c)} from {t}'): print(t, r)";
        Ok(State::of_lines(&output(python()?.current_dir(folder).args(["-c", script]), "python")?))
    }

    fn keeps(&self, folder: &Path, word: &str) -> Result<bool, Failure> {
        counts(folder, "select count(*) from auth_group where name = ?", word)
    }

    fn holds(&self, folder: &Path, value: &str) -> Result<Option<bool>, Failure> {
        counts(folder, "select count(*) from django_session where session_key = ?", value).map(Some)
    }
}

fn counts(folder: &Path, query: &str, value: &str) -> Result<bool, Failure> {
    let script = "import sqlite3, sys\n\
         print(sqlite3.connect('db.sqlite3').execute(sys.argv[1], [sys.argv[2]]).fetchone()[0])";
    Ok(output(python()?.current_dir(folder).args(["-c", script, query, value]), "python")? != "0")
}

fn python() -> Result<Command, Failure> {
    installed("audit-apps/django/bin/python").map(Command::new)
}

/// As `django-admin startproject` writes it, in one file.
const SITE: &str = r"
import sys
from pathlib import Path
from django.conf import settings
from django.urls import path

settings.configure(
    DEBUG=False,
    SECRET_KEY='only for the time of this run, and long enough for its checks: 4f1c0e7a',
    ALLOWED_HOSTS=['127.0.0.1'],
    ROOT_URLCONF='__main__',
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': Path(__file__).parent / 'db.sqlite3'}},
    INSTALLED_APPS=['django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes',
                    'django.contrib.sessions', 'django.contrib.messages', 'django.contrib.staticfiles'],
    MIDDLEWARE=['django.middleware.security.SecurityMiddleware', 'django.contrib.sessions.middleware.SessionMiddleware',
                'django.middleware.common.CommonMiddleware', 'django.middleware.csrf.CsrfViewMiddleware',
                'django.contrib.auth.middleware.AuthenticationMiddleware',
                'django.contrib.messages.middleware.MessageMiddleware',
                'django.middleware.clickjacking.XFrameOptionsMiddleware'],
    TEMPLATES=[{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True, 'OPTIONS': {
        'context_processors': ['django.template.context_processors.request',
                               'django.contrib.auth.context_processors.auth',
                               'django.contrib.messages.context_processors.messages']}}],
    STATIC_URL='static/',
    DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
)

import django
django.setup()
from django.contrib import admin
urlpatterns = [path('admin/', admin.site.urls)]

if __name__ == '__main__':
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
";
