//! `#[derive(SessionData)]`: each field of a struct is one key of the session.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Type, parse_macro_input, spanned::Spanned};

/// Makes a struct session data: each field is one key, named `<prefix>.<field>`, where the prefix is the struct's name
/// in lower case unless `#[session(prefix = "…")]` says otherwise.
///
/// For each field there is a constant in upper case, `Shop::THEME` for `theme`, to set it by itself. A field marked
/// `#[session(portable)]` follows its user when they sign in. The struct must be `Default`; each field must be
/// `Serialize` and `DeserializeOwned`.
#[proc_macro_derive(SessionData, attributes(session))]
pub fn session_data(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

/// One field: what it is called, what it holds, and its key.
struct Entry<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    constant: Ident,
    key: String,
    portable: bool,
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let entries = entries(input)?;
    let (name, visibility) = (&input.ident, &input.vis);
    let (generics, type_generics, bounds) = input.generics.split_for_impl();
    let constants = entries.iter().map(|Entry { ty, constant, key, portable, ident }| {
        let portable = portable.then(|| quote!(.portable()));
        let doc = format!("The session key of `{ident}`.");
        quote! {
            #[doc = #doc]
            #visibility const #constant: ::counterfoil::data::Key<#ty> = ::counterfoil::data::Key::new(#key) #portable;
        }
    });
    let reads = entries.iter().map(|Entry { ident, constant, .. }| {
        quote! { if let Some(value) = Self::#constant.decode(fields)? { data.#ident = value; } }
    });
    let writes = entries.iter().map(|Entry { ident, constant, .. }| {
        quote! { (Self::#constant.name(), Self::#constant.encode(&self.#ident)?) }
    });
    Ok(quote! {
        #[automatically_derived]
        impl #generics #name #type_generics #bounds {
            #(#constants)*
        }

        #[automatically_derived]
        impl #generics ::counterfoil::data::SessionData for #name #type_generics #bounds {
            fn read(fields: &::counterfoil::data::Fields) -> ::core::result::Result<Self, ::counterfoil::data::DataError> {
                let mut data = <Self as ::core::default::Default>::default();
                #(#reads)*
                ::core::result::Result::Ok(data)
            }

            fn write(&self) -> ::core::result::Result<
                ::std::vec::Vec<(&'static str, ::counterfoil::data::Field)>,
                ::counterfoil::data::DataError,
            > {
                ::core::result::Result::Ok(::std::vec![#(#writes),*])
            }
        }
    })
}

fn entries(input: &DeriveInput) -> syn::Result<Vec<Entry<'_>>> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(input.span(), "SessionData is for structs with named fields"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new(input.span(), "SessionData is for structs with named fields: each becomes a key"));
    };
    let prefix = prefix(input)?;
    fields.named.iter().map(|field| entry(&prefix, field)).collect()
}

fn entry<'a>(prefix: &str, field: &'a Field) -> syn::Result<Entry<'a>> {
    let ident = field.ident.as_ref().ok_or_else(|| Error::new(field.span(), "a field without a name"))?;
    let text = ident.to_string();
    let text = text.strip_prefix("r#").unwrap_or(&text);
    let constant = format_ident!("{}", text.to_uppercase(), span = ident.span());
    let mut portable = false;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("session")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("portable") {
                return Err(meta.error("expected `portable`"));
            }
            portable = true;
            Ok(())
        })?;
    }
    Ok(Entry { ident, ty: &field.ty, constant, key: format!("{prefix}.{text}"), portable })
}

fn prefix(input: &DeriveInput) -> syn::Result<String> {
    let mut prefix = input.ident.to_string().to_lowercase();
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("session")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("prefix") {
                return Err(meta.error("expected `prefix = \"…\"`"));
            }
            prefix = meta.value()?.parse::<LitStr>()?.value();
            Ok(())
        })?;
    }
    Ok(prefix)
}
